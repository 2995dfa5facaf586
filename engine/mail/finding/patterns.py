"""Patterns of local parts: how a first name and a surname make one, and how common each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Piece(StrEnum):
    """What a pattern shows of a name."""

    FIRST = "first"
    F = "f"
    LAST = "last"
    L = "l"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One or two pieces of a name, and what stands between them."""

    name: str
    pieces: tuple[Piece, ...]
    separator: str = ""

    @property
    def uses_first(self) -> bool:
        """Whether it needs a first name."""
        return Piece.FIRST in self.pieces or Piece.F in self.pieces

    @property
    def uses_last(self) -> bool:
        """Whether it needs a surname."""
        return Piece.LAST in self.pieces or Piece.L in self.pieces


def _pattern(name: str) -> Pattern:
    if name == "initials":
        return Pattern(name, (Piece.F, Piece.L))
    separator = next((sign for sign in "._-" if sign in name), "")
    pieces, rest = [], name.replace(separator, "") if separator else name
    while rest:
        piece = next(piece for piece in (Piece.FIRST, Piece.LAST, Piece.F, Piece.L) if rest.startswith(piece))
        pieces.append(piece)
        rest = rest[len(piece) :]
    return Pattern(name, tuple(pieces), separator)


def _shares(weights: Mapping[str, float]) -> Mapping[str, float]:
    total = sum(weights.values())
    return MappingProxyType({name: weight / total for name, weight in weights.items()})


_COMPANY = {
    "first.last": 42,
    "flast": 14,
    "first": 13,
    "f.last": 9,
    "firstlast": 5,
    "last": 3,
    "first_last": 2,
    "firstl": 2,
    "last.first": 1.5,
    "lastf": 1.5,
    "first-last": 1,
    "initials": 0.6,
    "first.l": 0.6,
    "lastfirst": 0.4,
    "last.f": 0.3,
    "f_last": 0.3,
    "last_first": 0.2,
    "f-last": 0.2,
    "last-first": 0.1,
    "lfirst": 0.1,
    "l.first": 0.1,
}
_TINY = {"first": 45, "first.last": 22, "flast": 8, "last": 5, "f.last": 6}

PRIOR = _shares(_COMPANY)
"""How common each pattern is among companies of any size. An estimate: no public count covers all countries and sizes."""
TINY_PRIOR = _shares(_COMPANY | _TINY)
"""The same for organisations of a handful of people, who mostly use first names. An estimate as well."""

PATTERNS: Mapping[str, Pattern] = MappingProxyType({name: _pattern(name) for name in _COMPANY})
"""Every pattern by its name, the commonest first."""
