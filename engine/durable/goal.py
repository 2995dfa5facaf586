"""The goal of a job that ends before its plan does: outcomes are taken in the order of the plan until enough are successes.

So the result is the same however the batches race and however often the engine is killed, and no batch is asked for that the
goal does not seem to need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from engine.durable.chunks import decode, encode
from engine.durable.contract import Done, Plan

REACHED = "as many as wanted were found"


@dataclass(frozen=True, slots=True)
class Ready:
    """An outcome whose turn has come, with its encoded rows."""

    number: int
    outcome: Done
    rows: int
    payload: bytes


@dataclass
class Goal:
    """How far a job is from its goal. `due` is the batch whose turn it is; all before it are committed or about to be."""

    plan: Plan
    due: int
    found: int
    tried: int
    _held: dict[int, Ready] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """Whether enough were found."""
        return self.plan.goal is not None and self.found >= self.plan.goal

    @property
    def holding(self) -> bool:
        """Whether outcomes wait for those before them."""
        return bool(self._held)

    def wants(self, in_flight: int) -> bool:
        """Whether one more batch seems to be needed beside those in flight, judged by the share of successes so far."""
        if self.plan.goal is None:
            return True
        share = (self.found + 2) / (self.tried + 2)
        return self.found + (in_flight + len(self._held)) * self.plan.batch * share < self.plan.goal

    def take(self, ready: Ready) -> Iterator[Ready]:
        """Hand in an outcome; gives those whose turn has come, the last one cut to the goal."""
        if self.plan.goal is None:
            yield ready
            return
        self._held[ready.number] = ready
        while not self.reached and (turn := self._held.pop(self.due, None)) is not None:
            self.due += 1
            self.tried += turn.outcome.succeeded + turn.outcome.failed
            self.found += turn.outcome.succeeded
            yield _cut(turn, self.found - self.plan.goal)


def _cut(ready: Ready, spare: int) -> Ready:
    """The outcome without its last `spare` successes; they count as tried, not as found."""
    if spare <= 0:
        return ready
    outcome, rows = ready.outcome, ready.rows - spare
    outcome = replace(outcome, succeeded=outcome.succeeded - spare, failed=outcome.failed + spare)
    return Ready(ready.number, outcome, rows, encode(decode(ready.payload).slice(0, rows)))
