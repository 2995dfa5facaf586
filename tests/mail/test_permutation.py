"""The permutation: a bijection of any range, computed anywhere, that looks shuffled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.permutation import Permutation, key, mix

seeds = st.integers(min_value=-(2**63), max_value=2**63 - 1)


def everything(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint64)


@given(st.integers(1, 5000), seeds)
def test_every_number_comes_once(n, seed):
    assert np.array_equal(np.sort(Permutation(n, seed)(everything(n))), everything(n))


@given(st.integers(1, 5000), seeds, st.data())
def test_a_slice_is_what_the_whole_has_there(n, seed, data):
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    permutation = Permutation(n, seed)
    assert np.array_equal(permutation(everything(n)[start:stop]), permutation(everything(n))[start:stop])


@pytest.mark.parametrize("n", [999_999, 1_000_003])
def test_every_number_comes_once_in_a_large_range(n):
    assert np.bincount(Permutation(n, 7)(everything(n)).astype(np.int64)).max() == 1


def test_another_seed_or_size_gives_another_order():
    orders = [Permutation(n, seed)(everything(1000)).tolist() for n, seed in [(1000, 1), (1000, 2), (1001, 1)]]
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_neighbours_end_up_far_apart():
    n = 100_000
    places = Permutation(n, 3)(everything(n)).astype(np.int64)
    assert abs(np.corrcoef(places[:-1], places[1:])[0, 1]) < 0.02
    assert abs(np.mean(np.abs(np.diff(places))) / n - 1 / 3) < 0.01


def test_mix_changes_half_the_bits():
    words = everything(10_000)
    changed = np.bitwise_count(mix(words) ^ mix(words ^ np.uint64(1)))
    assert 31 < changed.mean() < 33


def test_a_key_depends_on_every_part():
    assert len({int(key(*parts)[0]) for parts in [(1, 2), (2, 1), (1,), (1, 2, 0), (-1, 2)]}) == 5
