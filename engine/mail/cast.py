"""The people an address pattern can show: their names as the pattern shows them, without those it can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from engine.mail.decoding import Kept, Spellings, decodable
from engine.mail.descent import Integers
from engine.mail.lengths import fitting
from engine.mail.pattern import MAX_LOCAL_PART, Part, Pattern
from engine.mail.population import UNIT, BirthYears, Group, Roll, balanced, first_names, surnames

MAX_ADDRESS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""


@dataclass(frozen=True, slots=True)
class Side:
    """First names or surnames. `text`: for each row of the roll, which of `spellings` the pattern shows of it."""

    roll: Roll
    text: Integers
    spellings: Spellings
    shares: Integers

    @classmethod
    def of(cls, roll: Roll, width: int | None, shares: Integers) -> Side:
        """The roll, balanced to `shares` (groups, cohorts), as seen through a pattern that shows `width` letters."""
        roll = balanced(roll, shares)
        shown = roll.spelled if width is None else pc.utf8_slice_codeunits(roll.spelled, 0, width)
        encoded = shown.dictionary_encode()
        text = encoded.indices.to_numpy().astype(np.int64)
        weights = np.bincount(text, weights=roll.weights.sum(axis=1)).astype(np.int64)
        return cls(roll, text, Spellings(encoded.dictionary, weights), shares)

    @property
    def mass(self) -> Integers:
        """Weight of each text in each group."""
        return self._sums(self.roll.group, len(self.shares), self.roll.weights.sum(axis=1))

    def by_cohort(self) -> Integers:
        """Weight of each text in each cohort."""
        return np.column_stack([self._sums(np.zeros_like(self.text), 1, weights) for weights in self.roll.weights.T])

    def only(self, kept: Kept, width: int | None) -> Side:
        """Without the texts not kept; weights balanced anew."""
        return self if kept.all() else Side.of(self.roll.only(kept[self.text]), width, self.shares)

    def _sums(self, column: Integers, columns: int, weights: Integers) -> Integers:
        size = len(self.spellings.texts) * columns
        sums = np.bincount(self.text * columns + column, weights=weights, minlength=size)
        return sums.astype(np.int64).reshape(-1, columns)


@dataclass(frozen=True, slots=True)
class Cast:
    """First names and surnames that give each pair its own local part, and how many suffix digits there is room for."""

    first: Side
    last: Side
    digits: int


def cast(pattern: Pattern, groups: Sequence[Group], births: BirthYears, domain: int, digits: int) -> Cast:
    """Who can be shown at providers whose domains have up to `domain` characters, with up to `digits` suffix digits.

    Raises `ValueError` when no address fits.
    """
    widths = pattern.width(Part.FIRST), pattern.width(Part.LAST)
    shares = np.array([[group.share * int(size) // len(births.years) for size in births.sizes] for group in groups])
    first = Side.of(first_names(groups, births), widths[0], shares)
    last = Side.of(surnames(groups), widths[1], np.full((len(groups), 1), UNIT // len(groups)))
    room, *kept = fitting(pattern, first.spellings, last.spellings, min(MAX_LOCAL_PART, MAX_ADDRESS - 1 - domain), digits)
    first, last = first.only(kept[0], widths[0]), last.only(kept[1], widths[1])
    kept = list(decodable(pattern, first.spellings, last.spellings))
    return Cast(first.only(kept[0], widths[0]), last.only(kept[1], widths[1]), room)
