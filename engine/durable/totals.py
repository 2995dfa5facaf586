"""A job's running totals: pure arithmetic that the engine does in memory and commits with the chunks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from engine.durable.contract import Done
from engine.durable.tables import Job

MAX_KEYS = 200
"""Distinct values kept per tally; what comes later counts as `OTHER`."""
OTHER = "other"
MAX_POINTS = 120
"""Points of the progress curve; when it is full, every second one goes."""
_SMOOTHING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Totals:
    """What the job row shows of the chunks: items, counters, tallies, rate and the progress curve [[ms, items] …]."""

    processed: int = 0
    succeeded: int = 0
    failed: int = 0
    batches: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    tallies: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    history: tuple[tuple[int, int], ...] = ()
    rate: float | None = None

    @classmethod
    def of(cls, job: Job) -> Self:
        """The totals that are committed."""
        history = tuple((at, items) for at, items in job.history)
        return cls(
            job.processed_items, job.success_count, job.failed_count, job.batches_done, job.counts, job.tallies, history, job.rate
        )

    def plus(self, outcomes: Iterable[Done]) -> Self:
        """The totals with more batches done."""
        done = list(outcomes)
        succeeded = self.succeeded + sum(d.succeeded for d in done)
        failed = self.failed + sum(d.failed for d in done)
        counts, tallies = self.counts, self.tallies
        for outcome in done:
            counts = added(counts, outcome.counts)
            names = {**tallies, **outcome.tallies}
            tallies = {name: added(tallies.get(name, {}), outcome.tallies.get(name, {})) for name in names}
        return replace(
            self,
            processed=succeeded + failed,
            succeeded=succeeded,
            failed=failed,
            batches=self.batches + len(done),
            counts=counts,
            tallies=tallies,
        )

    def paced(self, now_ms: int, seconds: float) -> Self:
        """With the rate smoothed over the `seconds` since the last commit, and a point on the curve."""
        last = self.history[-1][1] if self.history else 0
        rate = (self.processed - last) / max(seconds, 0.001)
        if self.rate is not None:
            weight = min(1.0, seconds / _SMOOTHING_SECONDS)
            rate = weight * rate + (1 - weight) * self.rate
        history = (*self.history, (now_ms, self.processed))
        if len(history) > MAX_POINTS:
            history = (*history[:-1:2], history[-1])
        return replace(self, rate=rate, history=history)

    def values(self) -> dict[str, object]:
        """The columns of the job row."""
        return {
            "processed_items": self.processed,
            "success_count": self.succeeded,
            "failed_count": self.failed,
            "batches_done": self.batches,
            "counts": dict(self.counts),
            "tallies": {name: dict(values) for name, values in self.tallies.items()},
            "history": [list(point) for point in self.history],
            "rate": self.rate,
        }


def added(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    """Two counts added up, with at most `MAX_KEYS` distinct keys and the rest under `OTHER`."""
    total = dict(left)
    for key, number in right.items():
        slot = key if key in total or len(total) < MAX_KEYS else OTHER
        total[slot] = total.get(slot, 0) + number
    return total
