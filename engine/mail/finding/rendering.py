"""A person's local parts under every pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine.mail.finding.habits import Habit
from engine.mail.finding.model import Person
from engine.mail.finding.parts import parts
from engine.mail.finding.patterns import PATTERNS, Pattern
from engine.mail.finding.spelling import GAP, Spelled, Spelling, spelled

MAX_LOCAL = 64
"""RFC 5321 section 4.5.3.1.1."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A local part that a pattern gives for a person, the probability of that spelling, and the habits it shows."""

    local: str
    pattern: str
    chance: float
    habits: tuple[Habit, ...]


def renderings(person: Person, seen: Mapping[Habit, float]) -> Iterator[Rendering]:
    """Every local part of a person by pattern and spelling; patterns that need a part of the name that is missing give none."""
    for letters, pieces in spelled(parts(person), seen):
        for pattern in PATTERNS.values():
            if all(piece in pieces for piece in pattern.pieces):
                for whole in _whole(pattern, letters, pieces):
                    local = _closed(whole.text, pattern.separator)
                    if local:
                        yield Rendering(local, pattern.name, whole.chance, whole.habits)


@lru_cache(maxsize=512)
def untaught(person: Person) -> tuple[Rendering, ...]:
    """The renderings where nothing is known of the domain's habits."""
    return tuple(renderings(person, {}))


def _whole(pattern: Pattern, letters: Spelling, pieces: Spelled) -> list[Spelling]:
    found = [letters.then(spelling) for spelling in pieces[pattern.pieces[0]]]
    for piece in pattern.pieces[1:]:
        found = [a.then(b, pattern.separator) for a in found for b in pieces[piece]]
    return found


def _closed(text: str, separator: str) -> str:
    """With the pattern's separator in the gaps; "" where no local part comes out (RFC 5322 section 3.2.3, dot-atom)."""
    local = text.replace(GAP, separator)
    return (
        local if 0 < len(local) <= MAX_LOCAL and local[0] not in ".-_'" and local[-1] not in ".-_'" and ".." not in local else ""
    )
