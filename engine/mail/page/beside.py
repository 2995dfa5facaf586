"""The text beside an address on a page: whose it is mostly stands in the same row, on the same card, in the heading above."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

MAX_NEAR = 120
"""Characters beside an address that are kept."""
_BEFORE = 80
"""Of these at most so many before it, where there are any behind it: in reading order names come first."""
_STEPS = 12
_PIECE = 120
_MOST_PLACES = 3
"""Places of one address that are looked at."""


class Place(NamedTuple):
    """Where an address stands: from one text of the page up to another, and what these say on its left and on its right."""

    begin: int
    end: int
    key: str
    left: str = ""
    right: str = ""


class Beside:
    """Collects where addresses stand, and tells what stands beside each.

    What is beside one address reaches to the next one on either side, so that in a list each has its own entry and at most the
    start of the next.
    """

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._counts: Counter[str] = Counter()

    def note(self, place: Place) -> None:
        """An address stands there."""
        if self._counts[place.key] < _MOST_PLACES:
            self._counts[place.key] += 1
            self._places.append(place)

    def __contains__(self, key: str) -> bool:
        """Whether a place of this address was noted."""
        return key in self._counts

    def nears(self, texts: Sequence[str], wanted: Collection[str]) -> dict[str, str]:
        """What stands beside each wanted address, by key, in the first of its places that has text beside it.

        `texts` are those that places count.
        """
        places = sorted(self._places)
        ceilings = _ceilings(places, len(texts))
        found: dict[str, str] = {}
        for place, floor, ceiling in zip(places, _floors(places), ceilings, strict=True):
            if place.key in wanted and not found.get(place.key):
                found[place.key] = _near(texts, place, floor, ceiling)
        return found


def _floors(places: Sequence[Place]) -> Iterator[int]:
    """For each place where the address before it ends."""
    floor = end = 0
    key = ""
    for place in places:
        if place.key != key:
            floor, key = max(floor, end), place.key
        end = max(end, place.end)
        yield floor


def _ceilings(places: Sequence[Place], size: int) -> list[int]:
    """For each place where the address behind it begins."""
    ceiling = begin = size
    key, found = "", []
    for place in reversed(places):
        if place.key != key:
            ceiling, key = begin, place.key
        begin = place.begin
        found.append(ceiling)
    return found[::-1]


def _near(texts: Sequence[str], place: Place, floor: int, ceiling: int) -> str:
    before = _pieces(texts, range(place.begin - 1, max(floor, place.begin - _STEPS) - 1, -1), place.left)
    after = _pieces(texts, range(place.end, min(ceiling, place.end + _STEPS)), place.right)
    behind = " ".join(after)
    first = " ".join(reversed(before))[-(_BEFORE if behind else MAX_NEAR) :]
    return f"{first} {behind}".strip()[:MAX_NEAR].rstrip()


def _pieces(texts: Sequence[str], order: range, first: str) -> list[str]:
    """A text and those that follow in that order, about as many characters as are kept, up to one with an at sign."""
    found = [first] if first else []
    left = MAX_NEAR - len(first)
    part = slice(-_PIECE, None) if order.step < 0 else slice(_PIECE)
    for index in order:
        text = " ".join(texts[index][part].split())
        if left <= 0 or "@" in text:
            break
        if text:
            found.append(text)
            left -= len(text)
    return found


def own_text(before: str, after: str) -> tuple[str, str]:
    """What a text says on both sides of the address whose at sign stands between two parts of it, without any address."""
    left = before[-_PIECE:].rpartition("@")[2]
    words = left.split()[len(left) < len(before[-_PIECE:]) : -1]
    right, sign, _ = after[:_PIECE].partition("@")
    rest = right.split()[1:]
    return " ".join(words), " ".join(rest[:-1] if sign else rest)
