"""Whose address is this? People by their names, and names by the text beside an address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from engine.mail.finding.letters import plain
from engine.mail.finding.model import Learned, Pair, Person
from engine.mail.finding.parts import is_title
from engine.mail.finding.patterns import PATTERNS, PRIOR, Piece
from engine.mail.finding.rendering import Rendering, untaught
from engine.mail.finding.shapes import bare, unnumbered
from engine.mail.finding.words import PARTICLES
from engine.mail.lists import is_role

MAX_TEXT = 400
"""Characters beside an address that are read for a name."""
_MAX_NAME = 4
_word = re.compile(r"[^\W\d_][\w'’.-]*")
_gap = re.compile(r"[ \t\u00a0]+|,? ").fullmatch


class Strength(IntEnum):
    """How much of a name a local part shows."""

    PART = 1
    """A first name or a surname only, or initials: fits many people."""
    INITIAL = 2
    """One name and the other's initial."""
    FULL = 3
    """First name and surname: names the person."""


@dataclass(frozen=True, slots=True)
class Match:
    """A known address and whose it seems to be, by which pattern, and how much of the name it shows."""

    pair: Pair
    pattern: str
    strength: Strength


def match_people(people: Iterable[Person], locals_seen: Iterable[str], learned: Learned | None = None) -> list[Match]:
    """The local parts that name one of these people and nobody else of them, the strongest first.

    A local part that shows part of a name counts only as long as no other of the people fits it as well. Where a person fits
    several, all are returned. `learned` settles which pattern is meant where several fit.
    """
    everyone = list(dict.fromkeys(people))
    fits: dict[str, list[Match]] = {}
    known = {local: {local, unnumbered(local)} for local in map(bare, locals_seen) if local and not is_role(local)}
    wanted: dict[str, list[str]] = {}
    for local, forms in known.items():
        for form in forms:
            wanted.setdefault(form, []).append(local)
    for person in everyone:
        for local, rendering in _best(person, wanted, learned).items():
            fits.setdefault(local, []).append(Match(Pair(local, person), rendering.pattern, _strength(rendering.pattern)))
    found = [match for matches in fits.values() if (match := _only(matches)) is not None]
    return sorted(found, key=lambda match: (-match.strength, match.pair.local))


def person_beside(local: str, text: str) -> Person | None:
    """The person named in the text beside an address whose name the local part spells; None where no name there fits it.

    The text may be a display name, a link's text or the words around the address. Two to four words in capitals (particles
    may be small) count as a name; a first name alone proves nothing.
    """
    wanted = {bare(local), unnumbered(bare(local))}
    if is_role(bare(local)):
        return None
    fits = []
    for place, person in enumerate(_names_in(text[:MAX_TEXT], next(iter(wanted)))):
        for rendering in untaught(person):
            strength = _strength(rendering.pattern)
            if rendering.local in wanted and strength > Strength.PART:
                fits.append((-strength, -rendering.chance * PRIOR[rendering.pattern], place, person))
    return min(fits, key=lambda fit: fit[:3])[3] if fits else None


def _best(person: Person, wanted: dict[str, list[str]], learned: Learned | None) -> dict[str, Rendering]:
    """For each wanted local part the likeliest rendering of a person that gives it."""
    best: dict[str, tuple[float, Rendering]] = {}
    for rendering in untaught(person):
        weight = rendering.chance * (learned.weights.get(rendering.pattern, 0.0) if learned else 1.0)
        for local in wanted.get(rendering.local, ()):
            if local not in best or (_strength(rendering.pattern), weight) > (_strength(best[local][1].pattern), best[local][0]):
                best[local] = (weight, rendering)
    return {local: rendering for local, (_, rendering) in best.items()}


def _strength(pattern: str) -> Strength:
    pieces = PATTERNS[pattern].pieces
    full = (Piece.FIRST in pieces) + (Piece.LAST in pieces)
    return Strength.FULL if full == 2 else Strength.INITIAL if full == 1 and len(pieces) == 2 else Strength.PART


def _only(matches: list[Match]) -> Match | None:
    """The one that is stronger than all others, if there is."""
    first, *others = sorted(matches, key=lambda match: -match.strength)
    return None if others and others[0].strength == first.strength else first


def _names_in(text: str, local: str) -> Iterator[Person]:
    """The runs of words that look like names and share letters with a local part."""
    words = list(_word.finditer(text))
    for start, first in enumerate(words):
        if not _capital(first.group()) or is_title(first.group()):
            continue
        run, comma = [first.group()], 0
        for before, word in zip(words[start:], words[start + 1 : start + _MAX_NAME], strict=False):
            if not _gap(text[before.end() : word.start()]) or (before.group()[-1] == "." and len(before.group()) > 4):
                break
            if "," in text[before.end() : word.start()]:
                comma = comma or len(run)
            run.append(word.group().rstrip(".-'"))
            if _capital(word.group()) and any(len(bit := plain(w)) > 1 and bit[:2] in local for w in run):
                yield _person(run, comma)
            elif not _capital(word.group()) and word.group() not in PARTICLES:
                break


def _capital(word: str) -> bool:
    return not word[0].islower()


def _person(run: list[str], comma: int) -> Person:
    """The words of a name, divided at its comma (`Doe, Jane`), before its first particle or its last word.

    A surname in capitals may stand first. `comma`: how many words stand before the first one, 0 without.
    """
    if comma:
        return Person(" ".join(run[comma:]), " ".join(run[:comma]))
    if run[0].isupper() and len(run[0]) > 2 and not run[-1].isupper():
        return Person(" ".join(run[1:]), run[0])
    at = next((place for place, word in enumerate(run[1:-1], start=1) if word.lower() in PARTICLES), len(run) - 1)
    return Person(" ".join(run[:at]), " ".join(run[at:]))
