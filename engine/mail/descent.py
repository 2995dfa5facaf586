"""Weight-true integer descent: which child of a node an item belongs to, without counting the items before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.mail.lookup import Lookup
from engine.mail.permutation import Words

Integers = NDArray[np.int64]

UNLIMITED = 1 << 24
"""A capacity no node can fill: more than the items of the largest job."""

_ONE = 1 << 32
_MASK = np.uint64(_ONE - 1)
_HALF = np.uint64(32)
_NEVER = np.uint64(_ONE - 1)
_MARGIN = 2


@dataclass(frozen=True, slots=True)
class Branch:
    """The children of one node: their ids, integer weights above zero, and how many items each can hold."""

    children: Integers
    weights: Integers
    capacity: Integers | int = UNLIMITED


class Level:
    """Systematic sampling over the children of many nodes at once.

    A node's m items are laid over its children in proportion to their weights, from a start u that is random in [0, 1):
    a child expecting x items gets x rounded up or down. Children that would get more than they can hold are filled first
    and the rest is shared among the others, so that m up to the sum of capacities always fits, exactly. Everything is
    integer arithmetic: any item, on any machine, finds the same child.
    """

    def __init__(self, nodes: Integers, children: Integers, weights: Integers, capacity: Integers | int = UNLIMITED) -> None:
        """One row per child, rows of a node together, nodes numbered from 0; weights above zero."""
        room = np.minimum(np.broadcast_to(np.asarray(capacity, np.int64), weights.shape), UNLIMITED)
        scaled = _scaled(nodes, weights)
        order = np.lexsort((-((scaled + _MARGIN) / room), nodes))
        nodes, scaled, room = nodes[order], scaled[order], room[order].astype(np.uint64)
        first = _starts(nodes)
        scaled[first] += _ONE - np.add.reduceat(scaled, first)
        self.trivial = len(children) == 1
        self._children = children[order]
        self._lower = _before(scaled.astype(np.uint64), nodes, first)
        self._upper = self._lower + scaled.astype(np.uint64)
        keys = nodes.astype(np.uint64) << _HALF
        self._only_node = Lookup(self._lower) if len(first) == 1 else None
        self._keys = keys + self._lower
        self._full_from = UNLIMITED
        if room.min() < UNLIMITED:
            self._limit(nodes, first, keys, room)

    def _limit(self, nodes: Integers, first: Integers, keys: Words, room: Words) -> None:
        """Prepare for children that can't hold everything."""
        self._room = room
        self._before = np.minimum(_before(room, nodes, first), _NEVER)
        self._before_keys = keys + self._before
        full = _full_from(self._lower, self._upper, self._before, room)
        full[np.append(first[1:], len(nodes)) - 1] = _NEVER
        self._full_keys = np.maximum.accumulate(keys + full)
        self._full_from = int(full[first].min())

    @classmethod
    def of(cls, branches: Sequence[Branch]) -> Level:
        """The level with these nodes."""
        sizes = [len(branch.children) for branch in branches]
        return cls(
            np.repeat(np.arange(len(branches)), sizes),
            np.concatenate([branch.children for branch in branches]),
            np.concatenate([branch.weights for branch in branches]),
            np.concatenate([np.broadcast_to(branch.capacity, branch.weights.shape) for branch in branches]),
        )

    @classmethod
    def single(cls, weights: Integers, capacity: Integers | int = UNLIMITED) -> Level:
        """The level with one node, its children numbered from 0."""
        return cls(np.zeros(len(weights), np.int64), np.arange(len(weights)), weights, capacity)

    def descend(self, node: Integers | int, item: Words, items: Words, start: Words) -> tuple[Integers, Words, Words]:
        """Child, number of the item within it and how many items it has, for item `item` of a node's `items`.

        `start` is random in [0, 2**32) and the same for all items of a node.
        """
        at = np.asarray(node).astype(np.uint64) << _HALF
        if int(items.max(initial=0)) < self._full_from:
            place = self._place(at, ((item << _HALF) + start) // items)
            low, high = _first(self._lower[place], items, start), _first(self._upper[place], items, start)
            return self._children[place], item - low, high - low
        return self._descend_full(at, item, items, start)

    def _place(self, at: Words, share: Words) -> Integers:
        """The row of the child that a share of the node falls on, in units of 2**-32."""
        if self._only_node:
            return self._only_node(share)
        place: Integers = np.searchsorted(self._keys, at + share, side="right") - 1
        return place

    def _descend_full(self, at: Words, item: Words, items: Words, start: Words) -> tuple[Integers, Words, Words]:
        open_from = np.searchsorted(self._full_keys, at + items, side="right")
        taken = self._before[open_from]
        full = item < taken
        place = np.searchsorted(self._before_keys, at + item, side="right") - 1
        base = self._lower[open_from]
        rest = np.maximum(items, taken + np.uint64(1)) - taken
        within = np.where(full, np.uint64(0), item - taken)
        share = ((within << _HALF) + start) // rest
        shared = self._place(at, base + ((share * (_ONE - base)) >> _HALF))
        low = _first(_rescaled(self._lower[shared], base), rest, start)
        high = _first(_rescaled(self._upper[shared], base), rest, start)
        place = np.where(full, place, shared)
        return (
            self._children[place],
            np.where(full, item - self._before[place], within - low),
            np.where(full, self._room[place], high - low),
        )


def _starts(nodes: Integers) -> Integers:
    """Where each node's rows begin."""
    return np.flatnonzero(np.diff(nodes, prepend=-1))


def _scaled(nodes: Integers, weights: Integers) -> Integers:
    """Weights in units of 2**-32 of their node's sum, rounded down, at least 1."""
    first = _starts(nodes)
    sums = np.add.reduceat(weights, first)[nodes]
    sizes = np.diff(first, append=len(nodes))[nodes]
    scaled: Integers = 1 + np.floor(weights / sums * (_ONE - sizes)).astype(np.int64)
    return scaled


def _before(values: Words, nodes: Integers, first: Integers) -> Words:
    """The sum of the values before each row within its node."""
    sums = np.cumsum(values) - values
    before: Words = sums - sums[first][nodes]
    return before


def _full_from(lower: Words, upper: Words, before: Words, room: Words) -> Words:
    """From how many items of the node on each child is filled.

    Widths are widened by a margin: better fill a child a little early than let rounding give another more than it can hold.
    """
    full: Words = before + room * (np.uint64(_ONE) - lower) // (upper - lower + np.uint64(_MARGIN)) + np.uint64(1)
    full = np.minimum(full, _NEVER)
    return full


def _first(bound: Words, items: Words, start: Words) -> Words:
    """The first of a node's items that lies at or beyond a bound."""
    return (bound * items + (_MASK - start)) >> _HALF


def _rescaled(bound: Words, base: Words) -> Words:
    """A bound in [base, 2**32] as a bound in [0, 2**32], rounded up."""
    room = np.uint64(_ONE) - base
    return np.where(base == 0, bound, (((bound - base) << _HALF) + (room - np.uint64(1))) // room)
