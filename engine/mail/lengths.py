"""Local parts of at most 64 characters: how many suffix digits there is room for, and which names are too long."""

from __future__ import annotations

import numpy as np

from engine.mail.decoding import Kept, Spellings
from engine.mail.descent import Integers
from engine.mail.pattern import Part, Pattern
from engine.mail.suffixes import MAX_DIGITS

_ENOUGH = 0.5


def fitting(pattern: Pattern, first: Spellings, last: Spellings, limit: int, digits: int = MAX_DIGITS) -> tuple[int, Kept, Kept]:
    """How many suffix digits have room, and the first names and surnames short enough that every pair fits `limit`.

    The most digits, up to `digits`, that still fit half of all people; where none do, no digits and whoever fits.
    Raises `ValueError` when nobody does.
    """
    sizes = _lengths(pattern, Part.FIRST, first), _lengths(pattern, Part.LAST, last)
    share = 0.0
    for room in range(digits, -1, -1):
        share, longest = _longest(sizes, first, last, limit - pattern.fixed_length - room)
        if share >= _ENOUGH:
            break
    if share == 0:
        raise ValueError(f"every address would have more than {limit} characters before the @; shorten the pattern")
    return room, sizes[0] <= longest[0], sizes[1] <= longest[1]


def _lengths(pattern: Pattern, part: Part, names: Spellings) -> Integers:
    """Letters that all placeholders of a part give for each text."""
    widths = [placeholder.width for placeholder in pattern.placeholders if placeholder.part is part]
    total = np.zeros(len(names.texts), np.int64)
    for width in widths:
        total += names.lengths if width is None else np.minimum(names.lengths, width)
    return total


def _longest(sizes: tuple[Integers, Integers], first: Spellings, last: Spellings, room: int) -> tuple[float, tuple[int, int]]:
    """The split of the room between the two names that keeps the most people, and which share of them it keeps."""
    kept = [
        np.cumsum(np.bincount(size, weights=names.weights)) / int(names.weights.sum())
        for size, names in zip(sizes, (first, last), strict=True)
    ]
    best = (0.0, (-1, -1))
    for size in range(min(room + 1, len(kept[0]))):
        other = min(room - size, len(kept[1]) - 1)
        share = float(kept[0][size] * kept[1][other])
        if share > best[0]:
            best = (share, (size, other))
    return best
