"""Weight-true integer descent: which child of a node an item belongs to, without counting the items before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.mail.permutation import Words

Integers = NDArray[np.int64]

UNLIMITED = 1 << 24
"""A capacity no node can fill: more than the items of the largest job."""

_ONE = 1 << 32
_MASK = np.uint64(_ONE - 1)
_HALF = np.uint64(32)
_NEVER = _ONE - 1
_MARGIN = 2


@dataclass(frozen=True, slots=True)
class Branch:
    """The children of one node: their ids, integer weights above zero, and how many items each can hold."""

    children: Integers
    weights: Integers
    capacities: Integers | int = UNLIMITED


class Level:
    """Systematic sampling over the children of many nodes at once.

    A node's m items are laid over its children in proportion to their weights, from a start u that is random in [0, 1):
    a child expecting x items gets x rounded up or down. Children that would get more than they can hold are filled first
    and the rest is shared among the others, so that m up to the sum of capacities always fits, exactly. Everything is
    integer arithmetic: any item, on any machine, finds the same child.
    """

    def __init__(self, branches: Sequence[Branch]) -> None:
        ordered = [_ordered(branch) for branch in branches]
        sizes = np.array([len(branch.children) for branch in ordered])
        nodes = np.repeat(np.arange(len(ordered), dtype=np.uint64) << _HALF, sizes)
        bounds = [_bounds(branch.weights) for branch in ordered]
        self._children = np.concatenate([branch.children for branch in ordered])
        self._lower = np.concatenate([bound[:-1] for bound in bounds])
        self._upper = np.concatenate([bound[1:] for bound in bounds])
        self._keys = nodes + self._lower
        fills = [_fill(branch, bound) for branch, bound in zip(ordered, bounds, strict=True)]
        self._full_from = min(int(full[0]) for full, _ in fills)
        self._full_keys = nodes + np.concatenate([full for full, _ in fills])
        self._before = np.concatenate([before for _, before in fills])
        self._before_keys = nodes + self._before
        self._capacities = np.concatenate([_capacities(branch) for branch in ordered]).astype(np.uint64)
        self.trivial = len(self._children) == 1

    def descend(self, node: Integers | int, item: Words, items: Words, start: Words) -> tuple[Integers, Words, Words]:
        """Child, number of the item within it and how many items it has, for item `item` of a node's `items`.

        `start` is random in [0, 2**32) and the same for all items of a node.
        """
        at = np.asarray(node).astype(np.uint64) << _HALF
        if int(items.max(initial=0)) < self._full_from:
            place = np.searchsorted(self._keys, at + ((item << _HALF) + start) // items, side="right") - 1
            low, high = _first(self._lower[place], items, start), _first(self._upper[place], items, start)
            return self._children[place], item - low, high - low
        return self._descend_full(at, item, items, start)

    def _descend_full(self, at: Words, item: Words, items: Words, start: Words) -> tuple[Integers, Words, Words]:
        open_from = np.searchsorted(self._full_keys, at + items, side="right")
        taken = self._before[open_from]
        full = item < taken
        place = np.searchsorted(self._before_keys, at + item, side="right") - 1
        base = self._lower[open_from]
        rest = np.maximum(items, taken + np.uint64(1)) - taken
        within = np.where(full, np.uint64(0), item - taken)
        share = ((within << _HALF) + start) // rest
        shared = np.searchsorted(self._keys, at + base + ((share * (_ONE - base)) >> _HALF), side="right") - 1
        low = _first(_rescaled(self._lower[shared], base), rest, start)
        high = _first(_rescaled(self._upper[shared], base), rest, start)
        place = np.where(full, place, shared)
        return (
            self._children[place],
            np.where(full, item - self._before[place], within - low),
            np.where(full, self._capacities[place], high - low),
        )


def _ordered(branch: Branch) -> Branch:
    """The branch with scaled weights, children by falling weight per capacity, so that those filled first are a prefix."""
    weights, capacities = _scaled(branch.weights), _capacities(branch)
    order = np.argsort(-((weights + _MARGIN) / capacities), kind="stable")
    return Branch(branch.children[order], weights[order], capacities[order])


def _capacities(branch: Branch) -> Integers:
    wide = np.broadcast_to(np.asarray(branch.capacities, np.int64), branch.weights.shape)
    return np.minimum(wide, UNLIMITED)


def _scaled(weights: Integers) -> Integers:
    """Weights that add up to 2**32, each at least 1; what rounding leaves over goes to the heaviest."""
    scaled = 1 + np.floor(weights / int(weights.sum()) * (_ONE - len(weights))).astype(np.int64)
    scaled[np.argmax(scaled)] += _ONE - int(scaled.sum())
    return scaled


def _bounds(weights: Integers) -> Words:
    return np.concatenate([[0], np.cumsum(weights)]).astype(np.uint64)


def _fill(branch: Branch, bounds: Words) -> tuple[Words, Words]:
    """For each child, how many items fill it, and the capacity of those before it.

    A child is filled a little early (its width widened by a margin) so that rounding gives no other more than it can hold.
    """
    capacities = _capacities(branch).astype(np.uint64)
    widths = bounds[1:] - bounds[:-1]
    left = np.uint64(_ONE) - bounds[:-1]
    before = np.concatenate([[0], np.cumsum(capacities)[:-1]]).astype(np.uint64)
    full = np.maximum.accumulate(before + capacities * left // (widths + np.uint64(_MARGIN)) + np.uint64(1))
    full[-1] = _NEVER
    return np.minimum(full, np.uint64(_NEVER)), np.minimum(before, np.uint64(_NEVER))


def _first(bound: Words, items: Words, start: Words) -> Words:
    """The first of a node's items that lies at or beyond a bound."""
    return (bound * items + (_MASK - start)) >> _HALF


def _rescaled(bound: Words, base: Words) -> Words:
    """A bound in [base, 2**32] as a bound in [0, 2**32], rounded up."""
    room = np.uint64(_ONE) - base
    return np.where(base == 0, bound, (((bound - base) << _HALF) + (room - np.uint64(1))) // room)
