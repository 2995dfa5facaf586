"""Finding which of many intervals numbers lie in, several times faster than binary search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.mail.permutation import Words

_RANGE_BITS = 32
_MAX_BITS = 17
_STEPS = 2


class Lookup:
    """Intervals that cover [0, 2**32]: a guide table gives the interval where a number's bucket begins, most are there.

    `bounds`: where each interval begins, rising from 0.
    """

    def __init__(self, bounds: Words) -> None:
        bits = min(len(bounds).bit_length() + 2, _MAX_BITS)
        self._shift = np.uint64(_RANGE_BITS - bits)
        buckets = np.arange((1 << bits) + 1, dtype=np.uint64) << self._shift
        self._bounds = bounds
        self._next = np.append(bounds[1:], np.uint64(1 << 63))
        self._guide = np.searchsorted(bounds, buckets, side="right") - 1

    def __call__(self, values: Words) -> NDArray[np.int64]:
        """The interval of each value."""
        place = self._guide.take((values >> self._shift).view(np.int64))
        for _ in range(_STEPS):
            place += self._next.take(place) <= values
        late = np.flatnonzero(self._next.take(place) <= values)
        if late.size:
            place[late] = np.searchsorted(self._bounds, values[late], side="right") - 1
        return place
