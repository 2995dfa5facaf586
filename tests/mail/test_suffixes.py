"""Suffixes: distinct digits, the plain form first, birth years that agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.suffixes import MAX_DIGITS, Suffixes

YEARS = range(1961, 2009)


def texts(suffixes: Suffixes, n: int, noise: int = 0) -> list[str]:
    numbers = np.arange(n, dtype=np.uint64)
    found: list[str] = suffixes.texts(suffixes.place(numbers, np.full(n, noise, np.uint64))).to_pylist()
    return found


@pytest.mark.parametrize(("digits", "capacity"), [(0, 1), (1, 10), (2, 110), (3, 1010), (4, 10_010)])
def test_as_many_as_promised_and_no_more_digits(digits, capacity):
    suffixes = Suffixes(digits, YEARS)
    found = texts(suffixes, suffixes.capacity)
    assert len(set(found)) == suffixes.capacity == capacity
    assert max(map(len, found)) == digits


@given(st.integers(0, 2**64 - 1), st.integers(1, 30_000))
def test_distinct_digits_after_the_plain_form(noise, n):
    found = texts(Suffixes(MAX_DIGITS, YEARS), n, noise)
    assert found[0] == ""
    assert len(set(found)) == n
    assert all(text.isdigit() for text in found[1:])


def test_room_for_the_largest_job():
    numbers = np.array([10_000_000], np.uint64)
    suffixes = Suffixes(MAX_DIGITS)
    assert len(suffixes.texts(suffixes.place(numbers, numbers))[0].as_py()) <= MAX_DIGITS


def test_a_suffix_that_reads_as_a_birth_year_is_one():
    suffixes = Suffixes(MAX_DIGITS, YEARS)
    places = suffixes.place(np.arange(10_010, dtype=np.uint64), np.zeros(10_010, np.uint64))
    said = dict(zip(suffixes.texts(places).to_pylist(), suffixes.years(places).tolist(), strict=True))
    assert (said["84"], said["1984"], said["05"], said["2005"]) == (1984, 1984, 2005, 2005)
    assert (said[""], said["7"], said["30"], said["120"], said["2011"]) == (0, 0, 0, 0, 0)
