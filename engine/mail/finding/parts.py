"""A person's name taken apart: first names, surname with its particles; titles and suffixes left out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from engine.mail.finding.model import Person
from engine.mail.finding.words import FIELDS, JOINERS, PARTICLES, SUFFIXES, TITLES

MAX_WORDS = 6
"""Words of a first name or a surname that are looked at."""
_MAX_TEXT = 200
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʻ`´′＇", "'") | dict.fromkeys("‐‑‒–−", "-"))
_nickname = re.compile(r"[(\[\"“„«]([^)\]\"”“»]{1,40})[)\]\"”“»]|(?<!\S)'([^\s']{2,40})'(?!\S)")
_birth_name = re.compile(r"\s(?:née?|geb\.?|geborene|born|roz\.?|ur\.|f\.)\s+\S.*", re.IGNORECASE)
_dotted_initials = re.compile(r"(?<=\b[^\W\d_])\.(?=[^\W\d_]\b)")


@dataclass(frozen=True, slots=True)
class Surname:
    """A surname's word and the particles before it."""

    word: str
    particles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """A name taken apart, in its own script and case.

    `given`: first names, words with hyphens left whole; `middle`: initials after the first; `nickname`: one that stands in
    quotes or brackets; `surnames`: one, or two where both parents gave one.
    """

    given: tuple[str, ...]
    middle: tuple[str, ...]
    nickname: str
    surnames: tuple[Surname, ...]


def parts(person: Person) -> Parts:
    """The parts of a name; a full name in one of the two fields is divided, `Doe, Jane` as well."""
    first, nickname = _clean(person.first)
    last, other = _clean(person.last)
    if not first or not last:
        first, last = _divided(first or last, is_last=not first)
    given = _without_titles(_dotted_initials.sub(". ", first).split())
    surname = _without_suffixes(last.split())
    given, surname = _moved(given, surname)
    names = [word for word in given if len(word) > 1] or given[:1]
    middle = [word for word in given if word not in names]
    return Parts(tuple(names[:MAX_WORDS]), tuple(middle[:2]), nickname or other, tuple(_surnames(surname[:MAX_WORDS])))


def _clean(text: str) -> tuple[str, str]:
    """A field in one form, and the nickname that stood in it."""
    text = unicodedata.normalize("NFC", text[:_MAX_TEXT]).translate(_APOSTROPHES)
    found = _nickname.search(text)
    nickname = (found.group(1) or found.group(2)).strip() if found else ""
    text = _birth_name.sub("", _nickname.sub(" ", text))
    return " ".join(re.sub(r"\s*-\s*", "-", text).split()), nickname


def _divided(text: str, *, is_last: bool) -> tuple[str, str]:
    """A full name as first name and surname; one word stays what it was."""
    before, comma, after = text.partition(",")
    if comma and after.strip() and not all(_key(word) in SUFFIXES for word in after.split()):
        return after.strip(), before.strip()
    words = _without_suffixes(_without_titles(text.split()))
    if len(words) < 2 or (is_last and (words[0].lower() in PARTICLES or words[1].lower() in JOINERS)):
        return ("", " ".join(words)) if is_last else (" ".join(words), "")
    at = next((i for i, word in enumerate(words[1:-1], start=1) if word.lower() in PARTICLES - JOINERS), len(words) - 1)
    return " ".join(words[:at]), " ".join(words[at:])


def _key(word: str) -> str:
    return word.strip(",").replace(".", "").lower()


def _without_titles(words: list[str]) -> list[str]:
    start = 0
    while start < len(words) and (is_title(words[start]) or (start > 0 and _is_field(words[start]))):
        start += 1
    return [bare for word in words[start:] if (bare := word.strip(".,;"))]


def is_title(word: str) -> bool:
    """Whether a word is a form of address or a degree (`Dr.`, `Prof`, `Dipl.-Ing.`)."""
    parts = _key(word).split("-")
    return parts[0] in TITLES and all(part in TITLES or part in FIELDS for part in parts)


def _is_field(word: str) -> bool:
    return word.islower() and _key(word) in FIELDS


def _without_suffixes(words: list[str]) -> list[str]:
    """Suffixes are left out at the end, and everything after a comma."""
    for place, word in enumerate(words):
        if word.endswith(",") and place + 1 < len(words):
            words = words[: place + 1]
            break
    while len(words) > 1 and _key(words[-1]) in SUFFIXES and not _rather_a_name(words):
        words = words[:-1]
    return [bare for word in words if (bare := word.strip(".,;"))]


def _rather_a_name(words: list[str]) -> bool:
    """Whether the last word is a surname that reads like a suffix: after a particle, or Ma and Do rather than MA and DO."""
    last = words[-1]
    return words[-2].lower() in PARTICLES or (len(last) == 2 and last.istitle() and last not in ("Jr", "Sr"))


def _moved(given: list[str], surname: list[str]) -> tuple[list[str], list[str]]:
    """Particles that were entered behind the first name belong to the surname (`Vincent van`, `Gogh`)."""
    while len(given) > 1 and surname and given[-1].islower() and given[-1] in PARTICLES:
        given, surname = given[:-1], [given[-1], *surname]
    return given, surname


def _surnames(words: list[str]) -> list[Surname]:
    """Surnames with the particles before each; a particle at the end is a name of its own."""
    found: list[Surname] = []
    particles: list[str] = []
    for place, word in enumerate(words):
        key = word.lower()
        if key in PARTICLES and place + 1 < len(words):
            if not (key in JOINERS and found and not particles):
                particles.append(word)
            continue
        found.append(Surname(word, tuple(particles)))
        particles = []
    return found
