"""Digits after a local part whose plain form is taken."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.mail.descent import UNLIMITED, Integers
from engine.mail.permutation import Words

MAX_DIGITS = 8
"""Enough for the largest job even where only one plain address exists."""

_TABLE_DIGITS = 4
_LONG = 10**_TABLE_DIGITS


class Suffixes:
    """The suffixes of one plain local part, in order: none, then likely ones, then ever longer numbers; all distinct.

    Likely ones are two digits, and where `years` are given also those years; a suffix that reads as one of the years is
    one (`james84`, `james1984`): the person was born then. At most `digits` digits; 0 leaves only the plain form.
    """

    def __init__(self, digits: int, years: range = range(0)) -> None:
        self._digits = digits
        self._years = years
        likely = [text for text in self._likely() if len(text) <= digits]
        rest = [text for text in _rest(set(likely)) if len(text) <= digits]
        self._likely_count = len(likely)
        self._stride = _coprime_near(len(likely) * 0.618, len(likely))
        self._texts = pa.array(["", *likely, *rest], pa.string())

    @property
    def capacity(self) -> int:
        """How many there are, the empty one included; at most `UNLIMITED`."""
        longer = 10**self._digits - _LONG if self._digits > _TABLE_DIGITS else 0
        return min(len(self._texts) + longer, UNLIMITED)

    @cached_property
    def _year_of(self) -> NDArray[np.int64]:
        by_text = {str(year): year for year in self._years} | {f"{year % 100:02d}": year for year in self._years}
        return np.array([by_text.get(text, 0) for text in self._texts.to_pylist()], np.int64)

    def place(self, number: Words, noise: Words) -> Integers:
        """Position in the order for the n-th address of a plain form; the likely ones start anywhere, by the form's noise."""
        place = number.astype(np.int64)
        if self._likely_count:
            start = (noise % np.uint64(self._likely_count)).astype(np.int64)
            turned = (start + (place - 1) * self._stride) % self._likely_count + 1
            place = np.where((place >= 1) & (place <= self._likely_count), turned, place)
        return place

    def years(self, place: Integers) -> Integers:
        """The birth year that a suffix says, or 0."""
        return self._year_of[np.where(place < len(self._texts), place, 0)]

    def texts(self, place: Integers) -> pa.StringArray:
        """The suffixes themselves."""
        long = place >= len(self._texts)
        short = self._texts.take(pa.array(np.where(long, 0, place)))
        if not long.any():
            return short
        numbers = pa.array(place - len(self._texts) + _LONG).cast(pa.string())
        return pc.if_else(pa.array(long), numbers, short)

    def _likely(self) -> Iterator[str]:
        yield from (f"{number:02d}" for number in range(100))
        yield from map(str, self._years)


def _rest(taken: set[str]) -> Iterator[str]:
    """Numbers of one to four digits, in an order that does not look counted."""
    for size in (1, 3, 4):
        low, span = 10 ** (size - 1), 9 * 10 ** (size - 1)
        stride = _coprime_near(span * 0.618, span)
        numbers = (str(low + i * stride % span) for i in range(span))
        yield from (text for text in numbers if text not in taken)


def _coprime_near(wish: float, size: int) -> int:
    stride = max(1, int(wish))
    while math.gcd(stride, max(size, 1)) != 1:
        stride += 1
    return stride
