"""Drawing a person for what an address shows: of all who fit it, each as likely as they are common."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.mail.descent import Integers
from engine.mail.permutation import Words
from engine.mail.population import Roll

_TOTAL = 1 << 32
_HALF = np.uint64(32)


class Bearers:
    """The people behind each shown text, by group and cohort.

    `text` numbers what the pattern shows of each row of the roll. A person is a row of the roll and a cohort.
    """

    def __init__(self, roll: Roll, text: Integers, groups: int) -> None:
        self._groups = groups
        self._cohorts = roll.weights.shape[1]
        pairs, pair = np.unique(text * groups + roll.group, return_inverse=True)
        self._pair = np.full((int(text.max()) + 1) * groups, -1, np.int32)
        self._pair[pairs] = np.arange(len(pairs))
        node = (pair[:, None] * self._cohorts + np.arange(self._cohorts)).ravel()
        order = np.argsort(node, kind="stable")
        self._row, self._cohort = (order // self._cohorts).astype(np.int32), (order % self._cohorts).astype(np.int32)
        self._bounds = np.searchsorted(node[order], np.arange(len(pairs) * self._cohorts + 1))
        self._sums = _scaled_sums(roll.weights.ravel()[order])
        self._roll = roll

    def draw(self, text: Integers, group: Integers, noise: Words, cohort: Integers | None = None) -> tuple[Integers, Integers]:
        """A row and a cohort for each text and group, by 32 bits of noise; with a cohort given (-1: any), from that one."""
        pair = self._pair[text * self._groups + group].astype(np.int64) * self._cohorts
        if cohort is None:
            start, stop = self._bounds[pair], self._bounds[pair + self._cohorts]
        else:
            free = cohort < 0
            start = self._bounds[np.where(free, pair, pair + cohort)]
            stop = self._bounds[np.where(free, pair + self._cohorts, pair + cohort + 1)]
        low, high = self._sums[start], self._sums[stop]
        place = np.searchsorted(self._sums, low + (((high - low) * noise) >> _HALF), side="right") - 1
        return self._row[place], self._cohort[place]

    def shown(self, row: Integers) -> pa.StringArray:
        """The names as tables show them."""
        return self._roll.shown.take(pa.array(row))

    def gender(self, row: Integers) -> Integers:
        """The genders, as positions in `Gender`."""
        return self._roll.gender[row]


def _scaled_sums(weights: Integers) -> NDArray[np.uint64]:
    """Cumulative weights from 0 to at most 2**32, each step at least 1."""
    steps = 1 + np.floor(weights / int(weights.sum()) * (_TOTAL - len(weights))).astype(np.int64)
    return np.concatenate([[0], np.cumsum(steps)]).astype(np.uint64)
