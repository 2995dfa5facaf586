"""Which first names go with which surnames: blocks of people, each a full product, that together hold every pair once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from engine.mail.descent import UNLIMITED, Branch, Integers, Level
from engine.mail.permutation import Words

MAX_SHARED = 16
"""How many sets of several groups are told apart; names of rarer sets count as their likeliest group's only."""

SHARE_BITS = 20


@dataclass(frozen=True)
class Sets:
    """Texts by the set of groups that have them. `mass`: shape (texts, groups); `sets`: bit masks; `members`: their texts."""

    mass: Integers
    sets: list[int]
    members: list[Integers]

    @classmethod
    def of(cls, mass: Integers) -> Sets:
        """Texts grouped by set, rare sets reduced to single groups."""
        bits = 1 << np.arange(mass.shape[1])
        masks = ((mass > 0) * bits).sum(axis=1)
        found, number = np.unique(masks, return_inverse=True)
        weight = np.bincount(number, weights=mass.sum(axis=1))
        weight[np.isin(found, bits)] = np.inf
        kept = found[np.argsort(-weight, kind="stable")[: MAX_SHARED + len(bits)]]
        rare = ~np.isin(masks, kept)
        masks[rare] = bits[np.argmax(mass[rare], axis=1)]
        mass = np.where(masks[:, None] & bits, mass, 0)
        sets = [int(found_set) for found_set in np.unique(masks)]
        return cls(mass, sets, [np.flatnonzero(masks == found_set) for found_set in sets])

    @cached_property
    def totals(self) -> Integers:
        """Mass of each set in each group, shape (sets, groups)."""
        return np.array([self.mass[members].sum(axis=0) for members in self.members])

    def whole(self, group: int) -> int:
        """Mass of a group."""
        return int(self.totals[:, group].sum())

    def share(self, number: int, group: int) -> int:
        """The share of a group that belongs to a set, in units of 2**-20."""
        return (int(self.totals[number, group]) << SHARE_BITS) // self.whole(group)


@dataclass(frozen=True, slots=True)
class Block:
    """First names of one set and surnames of another that share at least one group."""

    first: int
    last: int
    common: tuple[int, ...]


class Blocks:
    """All blocks of first names and surnames, and the levels that descend into them.

    `first` and `last`: how common each text is in each group, shape (texts, groups); `shares`: weight of each group.
    `beneath`: how many addresses one pair can have. Group shares and the frequencies of first names and surnames come out
    true; within a block of several groups the two names are paired as if independent.
    """

    def __init__(self, first: Integers, last: Integers, shares: Sequence[int], beneath: int) -> None:
        self._first, self._last = Sets.of(first), Sets.of(last)
        self._shares = shares
        self._blocks = list(self._found())
        self.pairs = sum(self._pairs(block) for block in self._blocks)
        self.level = Level.of([self._branch(beneath)])
        self.first_level = Level.of([self._first_branch(block, beneath) for block in self._blocks])
        self._last_nodes: dict[tuple[int, ...], int] = {}
        self._last_branches: list[Branch] = []
        self._last_node = np.array([self._last_place(block, beneath) for block in self._blocks])
        self.last_level = Level.of(self._last_branches)

    def last_node(self, block: Integers) -> Integers:
        """The node of `last_level` for each block."""
        return self._last_node[block]

    def group(self, block: Integers, first: Integers, noise: Words) -> Integers:
        """A group for each block and first name, as likely as the name is common in it, by 32 bits of noise."""
        sums = np.cumsum(self._first.mass[first] * self._influence[block], axis=1)
        wanted = np.floor(noise / (1 << 32) * sums[:, -1]).astype(np.int64)
        group: Integers = np.argmax(sums > wanted[:, None], axis=1)
        return group

    @cached_property
    def _influence(self) -> Integers:
        """Weight of each group's first names in each block, shape (blocks, groups)."""
        return np.array([self._weights_of_first(block) for block in self._blocks])

    def _found(self) -> Iterator[Block]:
        for first, last in product(range(len(self._first.sets)), range(len(self._last.sets))):
            both = self._first.sets[first] & self._last.sets[last]
            if both:
                yield Block(first, last, tuple(g for g in range(len(self._shares)) if both >> g & 1))

    def _pairs(self, block: Block) -> int:
        return len(self._first.members[block.first]) * len(self._last.members[block.last])

    def _branch(self, beneath: int) -> Branch:
        weights = [sum(self._weight(block, group) for group in block.common) + 1 for block in self._blocks]
        room = [min(self._pairs(block) * beneath, UNLIMITED) for block in self._blocks]
        return Branch(np.arange(len(self._blocks)), np.array(weights), np.array(room))

    def _weight(self, block: Block, group: int) -> int:
        """Weight of a group's people in a block."""
        first, last = self._first.share(block.first, group), self._last.share(block.last, group)
        return self._shares[group] * first * last >> 2 * SHARE_BITS

    def _weights_of_first(self, block: Block) -> Integers:
        """How much the first names of each group count in a block: by the share of the group that has its surnames."""
        factors = np.zeros(len(self._shares), np.int64)
        for group in block.common:
            factors[group] = self._last.share(block.last, group) * self._shares[group] // self._first.whole(group) + 1
        return factors

    def _weights_of_last(self, block: Block) -> Integers:
        """How much the surnames of each group count in a block: by the share of the group that has its first names."""
        factors = np.zeros(len(self._shares), np.int64)
        for group in block.common:
            factors[group] = self._first.share(block.first, group) * self._shares[group] // self._last.whole(group) + 1
        return factors

    def _first_branch(self, block: Block, beneath: int) -> Branch:
        texts = self._first.members[block.first]
        weights = (self._first.mass[texts] * self._weights_of_first(block)).sum(axis=1)
        room = min(len(self._last.members[block.last]) * beneath, UNLIMITED)
        return Branch(texts, weights, room)

    def _last_place(self, block: Block, beneath: int) -> int:
        """The node of a block's surnames; blocks with the same one group in common share it."""
        key = (block.last, -1, *block.common) if len(block.common) == 1 else (block.last, block.first)
        if key not in self._last_nodes:
            texts = self._last.members[block.last]
            weights = (self._last.mass[texts] * self._weights_of_last(block)).sum(axis=1)
            self._last_nodes[key] = len(self._last_branches)
            self._last_branches.append(Branch(texts, weights, min(beneath, UNLIMITED)))
        return self._last_nodes[key]
