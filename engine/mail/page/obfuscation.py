"""Addresses in words: `jane [at] host [dot] tld` and its relatives in many languages.

Brackets around the `at` make the meaning sure; a bare ` at ` or ` @ ` needs more evidence, since prose is full of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.mail.address import Address
from engine.mail.page.around import SEAM
from engine.mail.page.judge import Judge
from engine.mail.page.words import (
    AT_WORDS,
    BARE_AT_WORDS,
    BARE_DOT_WORDS,
    CUES,
    DASH_WORDS,
    DOT_WORDS,
    NEVER_DOMAINS,
    NEVER_LOCALS,
    SOMETIMES_LOCALS,
    UNDERSCORE_WORDS,
)
from engine.mail.roles import ROLES

WALL = "\x02"
"""Stands where one block of text ends and another begins: no address goes over it."""
MAX_HITS = 2_000
"""Places in one text that are looked at."""
LEFT, RIGHT = 120, 200
"""Characters on both sides of a hit that matter."""


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_S = rf"[\s{SEAM}]{{0,3}}"
_G = rf"[\s{SEAM}]{{1,3}}"
_GAP = rf"{SEAM}?\s{{1,3}}{SEAM}?"
_O, _C = r"[\[({<«‹|*#\"“”'~]", r"[\])}>»›|*#\"“”'~]"
_marked = re.compile(rf"[\[({{<«‹|*#\"“”'~]{_S}(?:{_any(AT_WORDS)}){_S}{_C}")
_tight_a = re.compile(r"\([aä]\)(?<=\w\([aä]\))(?=\w)")
_fenced_a = {left: re.compile(rf"\{left} ?[aä] ?\{right}") for left, right in ("[]", "()", "{}", "<>")}
_fenced_next = re.compile(rf"{_S}[\w-]{{1,63}}{_S}[\[({{<]{_S}(?:{_any(DOT_WORDS)}){_S}[\])}}>]").match
_WEAK = ("_at_", "-at-", ".at.", "=at=")
_dotted_next = rf"{_G}(?:{_any(BARE_DOT_WORDS)}|\.){_G}|{_S}{_O}{_S}(?:{_any(DOT_WORDS)}){_S}{_C}|[-_/]dot[-_/]"
# Each begins with its word, which is found fast.
_bare = {
    word: re.compile(rf"{word}(?:(?<=\s{word})|(?<=\s{SEAM}{word})){_GAP}(?=[\w-]{{1,63}}{SEAM}?(?:\.{SEAM}?\w|{_dotted_next}))")
    for word in BARE_AT_WORDS
}
_capital = re.compile(r"AT(?=[a-z0-9-]{1,63}DOT[a-z])")
_spaced = re.compile(rf"@(?:{_GAP}|(?<=\s@)(?=\w))")
_OPENING, _CLOSING = tuple("([{<"), tuple(")]}>")
_brackets = rf"{_S}{_O}{_S}(?:%s){_S}{_C}{_S}"
_signed = re.compile(rf"@(?=[\w.-]{{1,63}}(?:{_dotted_next}))")

_opens = re.compile(_O).search
_dot = re.compile(_brackets % _any(DOT_WORDS))
_dash = re.compile(_brackets % _any(DASH_WORDS))
_underscore = re.compile(_brackets % _any(UNDERSCORE_WORDS))
_weak_dot = re.compile(r"(?<=\w)([-_/\\:.])dot\1(?=\w)")
_fenced_dot = re.compile(r"(?<=\w) ([-_=])dot\1 (?=\w)")
_bare_dot = re.compile(rf"(?<=\w){_G}(?:{_any(BARE_DOT_WORDS)}){_G}(?=\w)")
_spaced_dot = re.compile(r"(?<=\w)\s\.\s(?=\w)")
_capital_dot = re.compile(r"(?<=[a-z0-9])DOT(?=[a-z0-9])")
_local_back = re.compile(r"[\w.+'&-]{1,64}").match
_domain_on = re.compile(r"[\w.-]{1,253}").match
_cue = re.compile(rf"(?:^|[^\w])(?:{_any(CUES)})\.?(?: address| adresse| id)?\s?[:=–—-]\s?\Z").search
_written_to = re.compile(r"(?:^|\W)(?:to|e-?mail|mail|contact|an|write)\s+\Z").search
_mind = re.compile(r"[\d._+-]").search
_hour = re.compile(r"\d{1,2}(?:[.:]?\d\d)?(?:am|pm|h|hs|hrs|uhr)?").fullmatch


@dataclass(frozen=True, slots=True)
class Hit:
    """Where an at sign in words stands (offsets in the text), and how it is written.

    `marked` by brackets, `weak` by hyphens and the like or as a mere `[a]`, `bare` at, another word (`foreign`), `capital`
    letters within the word, a sign with spaces (`spaced`) or without (`signed`).
    """

    start: int
    end: int
    kind: str


def hits_in(text: str) -> list[Hit]:
    """Places in a text where an at sign may be written in words, in order, at most `MAX_HITS`."""
    lowered = _lower(text)
    found = list(_hits(text, lowered))
    found.sort(key=lambda hit: (hit.start, -hit.end))
    return found[:MAX_HITS]


def _hits(text: str, lowered: str) -> Iterator[Hit]:
    for pattern in (_marked, _tight_a):
        yield from (Hit(*found.span(), "marked") for found in pattern.finditer(lowered))
    for bracket, pattern in _fenced_a.items():
        if bracket in lowered:
            found_next = (found for found in pattern.finditer(lowered) if _fenced_next(lowered, found.end()))
            yield from (Hit(*found.span(), "weak") for found in found_next)
    for sign in _WEAK:
        for place in _places(lowered, sign):
            end = place + len(sign)
            yield Hit(place, end, "marked" if lowered[place - 1 : place] == lowered[end : end + 1] == " " else "weak")
    for word, pattern in _bare.items():
        if word in lowered:
            kind = "bare" if word == "at" else "foreign"
            yield from (Hit(*found.span(), kind) for found in pattern.finditer(lowered))
    if "DOT" in text:
        yield from (Hit(*found.span(), "capital") for found in _capital.finditer(text))
    if "@" in text:
        yield from (Hit(*found.span(), "spaced") for found in _spaced.finditer(lowered))
        yield from (Hit(*found.span(), "signed") for found in _signed.finditer(lowered))


def _places(text: str, sign: str) -> Iterator[int]:
    place = text.find(sign)
    while place >= 0:
        yield place
        place = text.find(sign, place + len(sign))


def _lower(text: str) -> str:
    """In lower case and of the same length, which `İ` alone would change."""
    lowered = text.lower()
    return (
        lowered if len(lowered) == len(text) else "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    )


def written_in(text: str, judge: Judge) -> Iterator[Address]:
    """Every address in words in a text without seams."""
    for hit in hits_in(text):
        found = written_around(text[max(0, hit.start - LEFT) : hit.start], text[hit.end : hit.end + RIGHT], hit.kind, judge)
        if found is not None:
            yield found


def written_around(before: str, after: str, kind: str, judge: Judge) -> Address | None:
    """The address between whose parts a hit of that kind stands, or None where prose is likelier."""
    before = before.rpartition(WALL)[2].replace(SEAM, "")
    after = after.partition(WALL)[0].replace(SEAM, "")
    if kind == "marked" and before[-1:] in _OPENING and after[:1] in _CLOSING:  # `((at))`
        before, after = before[:-1], after[1:]
    left, right = _with_signs(before, kind), _with_signs(after, kind)
    left, right = left.rstrip(), right.lstrip()
    tail, head = _local_back(left[::-1]), _domain_on(right)
    if tail is None or head is None:
        return None
    local = tail.group()[::-1].strip("'&-.")
    domain = judge.domain_in(head.group())
    if not local or not domain or left[: -tail.end()][-1:] == "@":
        return None
    dotted = right[: len(domain)] != after.lstrip()[: len(domain)]
    context = _Context(left[: len(left) - tail.end()], local, domain, right[len(domain) :], dotted)
    return judge.address(f"{local}@{domain}") if context.convinces(kind) else None


def _with_signs(text: str, kind: str) -> str:
    """The text with the signs that are written in words; bare words count only beside an at that is one."""
    if kind == "capital":
        return _capital_dot.sub(".", text)
    lowered = _lower(text)
    wanted = [(_weak_dot, ".")] if kind == "weak" else [(_fenced_dot, ".")] if kind == "marked" else []
    if _opens(text):
        wanted += [(_dot, "."), (_dash, "-"), (_underscore, "_")]
    if any(word in lowered for word in BARE_DOT_WORDS):
        wanted.append((_bare_dot, "."))
    for pattern, sign in wanted:
        made = _replaced(text, lowered, pattern, sign)
        if made != text:
            text, lowered = made, _lower(made)
    return _spaced_dot.sub(".", text) if kind in ("spaced", "marked") else text


def _replaced(text: str, lowered: str, pattern: re.Pattern[str], sign: str) -> str:
    """With every match of a pattern, found in the lower-cased text, replaced."""
    parts, place = [], 0
    for found in pattern.finditer(lowered):
        parts += [text[place : found.start()], sign]
        place = found.end()
    return "".join([*parts, text[place:]]) if parts else text


@dataclass(frozen=True, slots=True)
class _Context:
    """What stands around a candidate; `dotted`: a dot of its domain was written in words."""

    before: str
    local: str
    domain: str
    after: str
    dotted: bool

    def convinces(self, kind: str) -> bool:
        """Whether the candidate is an address rather than prose."""
        if kind in ("marked", "capital"):
            return True
        if kind in ("weak", "signed"):
            return self.dotted
        if kind == "foreign":
            return self.dotted or self._alone()
        lowered = self.local.lower()
        if bool(_cue(_lower(self.before[-40:]))):
            return lowered not in NEVER_LOCALS
        if lowered in NEVER_LOCALS or _hour(lowered) or self.domain.partition(".")[0].lower() in NEVER_DOMAINS:
            return False
        if lowered in SOMETIMES_LOCALS or (lowered in ROLES and kind == "bare"):
            return (self.dotted and bool(_written_to(self.before.lower()))) or (
                self._alone() and (self.dotted or (kind == "spaced" and lowered in ROLES))
            )
        if self.dotted or _mind(self.local):
            return True
        if kind == "spaced" and lowered in ROLES:
            return True
        return self._alone() and self.local == lowered

    def _alone(self) -> bool:
        """Whether nothing else stands in its line."""
        return not self.before.strip(" \t\r\n<([,;|•·-–") and not self.after.strip(" \t\r\n>)],;.|•·-–")
