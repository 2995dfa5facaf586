"""A keyed permutation of the integers below n, computed for any item on its own."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27))
_LAST_SHIFT = np.uint64(31)
_HALF = np.uint64(32)
_ROUNDS = 4


def mix(words: Words) -> Words:
    """The splitmix64 finaliser (Steele, Lea, Flood 2014): every input bit reaches every output bit."""
    out = words + _GOLDEN
    for shift, multiplier in zip(_SHIFTS, _MULTIPLIERS, strict=True):
        out ^= out >> shift
        out *= multiplier
    out ^= out >> _LAST_SHIFT
    return out


def key(*parts: int) -> Words:
    """A one-element key that depends on every part, in order."""
    state = np.zeros(1, np.uint64)
    for part in parts:
        state = mix(state ^ np.array([part % (1 << 64)], np.uint64))
    return state


class Permutation:
    """A bijection of [0, n): a 4-round Feistel network over a grid of two mixed radices, with cycle walking.

    Black and Rogaway, "Ciphers with arbitrary finite domains" (2002). The grid has fewer than n + 2·√n + 2 points, so that
    walking is rare. Statistical strength only; it hides nothing.
    """

    def __init__(self, n: int, seed: int) -> None:
        self.n = n
        left = math.isqrt(max(n - 1, 0)) + 1
        self._sides = np.uint64(left), np.uint64(-(-n // left))
        self._keys = [key(seed, n, number) for number in range(_ROUNDS)]

    def __call__(self, items: Words) -> Words:
        """Where each item goes; all must be below n."""
        out = self._walk(items)
        outside = np.flatnonzero(out >= self.n)
        while outside.size:
            out[outside] = self._walk(out[outside])
            outside = outside[out[outside] >= self.n]
        return out

    def _walk(self, points: Words) -> Words:
        left, right = self._sides
        row = points // right
        column = points - row * right
        for number, round_key in enumerate(self._keys):
            if number % 2:
                column = _turned(column, mix(row ^ round_key), right)
            else:
                row = _turned(row, mix(column ^ round_key), left)
        return row * right + column


def _turned(value: Words, noise: Words, size: np.uint64) -> Words:
    """(value + noise scaled to [0, size)) mod size; an unsigned difference that wraps is the larger one."""
    total = value + (((noise >> _HALF) * size) >> _HALF)
    return np.minimum(total, total - size)
