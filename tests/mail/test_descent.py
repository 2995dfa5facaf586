"""The descent: shares true to the weights, capacities never exceeded, every item accounted for."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.descent import Branch, Level
from engine.mail.lookup import Lookup

weights = st.lists(st.integers(1, 10**9), min_size=1, max_size=30)
starts = st.integers(0, 2**32 - 1)


def descend(level: Level, items: int, start: int, node: int = 0) -> list[tuple[int, int, int]]:
    item = np.arange(items, dtype=np.uint64)
    children, places, sizes = level.descend(node, item, np.array([items], np.uint64), np.array([start], np.uint64))
    sizes = np.broadcast_to(sizes, children.shape)
    return list(zip(children.tolist(), places.tolist(), sizes.tolist(), strict=True))


def checked_counts(found: list[tuple[int, int, int]]) -> Counter[int]:
    """Items by child; within a child they must be numbered 0, 1, 2 … of its size."""
    counts = Counter(child for child, _, _ in found)
    assert {(child, place, counts[child]) for child in counts for place in range(counts[child])} == set(found)
    return counts


@given(weights, st.integers(1, 3000), starts)
def test_each_child_gets_its_share_rounded_up_or_down(values, items, start):
    counts = checked_counts(descend(Level.single(np.array(values)), items, start))
    for child, weight in enumerate(values):
        assert abs(counts[child] - items * weight / sum(values)) < 1.001


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 40)), min_size=1, max_size=20), starts, st.data())
def test_no_child_gets_more_than_it_can_hold(children, start, data):
    values, room = (np.array(column) for column in zip(*children, strict=True))
    items = data.draw(st.integers(1, int(room.sum())) | st.just(int(room.sum())))
    counts = checked_counts(descend(Level.single(values, room), items, start))
    assert all(counts[child] <= room[child] for child in range(len(room)))


@given(weights, st.integers(1, 50), starts)
def test_what_a_full_child_leaves_is_shared_by_weight(values, items, start):
    level = Level.single(np.array(values), 1)
    counts = checked_counts(descend(level, min(items, len(values)), start))
    lightest_taken = min(values[child] for child in counts)
    expected = [min(items, len(values)) * weight / sum(values) for weight in values]
    assert all(counts[child] for child, share in enumerate(expected) if share >= 1.001)
    assert lightest_taken <= max(values)


def test_each_node_has_its_own_children():
    level = Level.of([Branch(np.array([7, 8]), np.array([1, 3])), Branch(np.array([5]), np.array([9]), 4)])
    assert checked_counts(descend(level, 400, 0, node=0)) == {7: 100, 8: 300}
    assert checked_counts(descend(level, 4, 0, node=1)) == {5: 4}


def test_items_of_several_nodes_descend_together():
    level = Level.of([Branch(np.array([1, 2]), np.array([1, 1])), Branch(np.array([3, 4]), np.array([1, 1]))])
    start = np.zeros(1, np.uint64)
    child, _, _ = level.descend(np.array([0, 1, 0]), np.array([0, 1, 1], np.uint64), np.array([2, 2, 2], np.uint64), start)
    assert child.tolist() == [1, 4, 2]


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=300, unique=True), st.lists(starts, min_size=1, max_size=50))
def test_lookup_agrees_with_binary_search(bounds, values):
    rising = np.array(sorted({0, *bounds}), np.uint64)
    wanted = np.array(values, np.uint64)
    assert np.array_equal(Lookup(rising)(wanted), np.searchsorted(rising, wanted, side="right") - 1)
