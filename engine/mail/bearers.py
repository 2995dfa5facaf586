"""Drawing a person for what an address shows: of all who fit it, each as likely as they are common."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.mail.descent import Integers
from engine.mail.lookup import Lookup
from engine.mail.permutation import Words
from engine.mail.population import Roll

_TOTAL = 1 << 32
_HALF = np.uint64(32)


class Bearers:
    """The people behind each shown text, by group and cohort.

    `text` numbers what the pattern shows of each row of the roll. A person is a row of the roll and a cohort.
    """

    def __init__(self, roll: Roll, text: Integers, groups: int) -> None:
        self._roll, self._groups, self._cohorts = roll, groups, roll.weights.shape[1]
        pairs, pair = np.unique(text * groups + roll.group, return_inverse=True)
        self._pair = np.full((int(text.max()) + 1) * groups, -1)
        self._pair[pairs] = np.arange(len(pairs)) * self._cohorts
        node = (pair[:, None] * self._cohorts + np.arange(self._cohorts)).ravel()
        order = np.argsort(node, kind="stable")
        self._row, self._cohort = np.divmod(order, self._cohorts)
        self._place = None
        if len(order) > len(pairs):
            sums = _scaled_sums(roll.weights.ravel()[order])
            self._place = Lookup(sums)
            self._bounds = sums[np.searchsorted(node[order], np.arange(len(pairs) * self._cohorts + 1))]

    def draw(self, text: Integers, group: Integers | int, noise: Words, cohort: Integers | int = -1) -> tuple[Integers, Integers]:
        """A row and a cohort for each text and group, by 32 bits of noise; from a certain cohort unless that is -1."""
        low = self._pair.take(text * self._groups + group)
        if self._place is None:
            return self._row.take(low), self._cohort.take(low)
        free = np.asarray(cohort) < 0
        high = low + np.where(free, self._cohorts, np.asarray(cohort) + 1)
        low = low + np.where(free, 0, cohort)
        start = self._bounds.take(low)
        place = self._place(start + (((self._bounds.take(high) - start) * noise) >> _HALF))
        return self._row.take(place), self._cohort.take(place)

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
