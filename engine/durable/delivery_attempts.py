"""What a process knows by heart of the messages that it has in hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from engine.durable.contract import JobRef
from engine.durable.delivery_rules import Arming, Call, Settling
from engine.durable.ledger import FINAL, Entry, Outcome, State
from engine.errors import LeaseLost


class Attempts:
    """What a process knows by heart: the last attempt of each message in hand, by lease, and which were armed here."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], dict[str, int]] = {}
        self._armed: set[tuple[str, str, int]] = set()

    def opened(self, job: JobRef, entries: Mapping[str, Entry], in_flight: Collection[str]) -> None:
        """Messages are taken in hand."""
        for other in [key for key in self._last if key[0] == job.id and key[1] < job.lease]:
            del self._last[other]
        last = self._last.setdefault((job.id, job.lease), {})
        for recipient, entry in entries.items():
            if recipient in in_flight:  # its intent may not be written yet
                last[recipient] = max(entry.attempts, last.get(recipient, 0))
            elif entry.state in FINAL:
                last.pop(recipient, None)
            else:
                last[recipient] = entry.attempts

    def begin(self, job: JobRef, recipient: str) -> int:
        """The number of the next attempt.

        Raises:
            LookupError, LeaseLost: see `Ledger.intend`.
        """
        last = self._last.get((job.id, job.lease))
        if last is None:
            raise LeaseLost
        if recipient not in last:
            raise LookupError("an attempt begins for a recipient that was not opened, or whose message is settled")
        last[recipient] += 1
        return last[recipient]

    def armed(self, job: JobRef, outcome: Outcome) -> bool:
        """Whether the attempt was armed here."""
        return (job.id, outcome.recipient, outcome.attempt) in self._armed

    def learn(self, call: Call, result: Any) -> None:
        """A call was written, or refused."""
        match call:
            case Arming() if result is None:
                self._armed.add((call.job.id, call.recipient, call.attempt))
            case Settling():
                self._armed.discard((call.job.id, call.outcome.recipient, call.outcome.attempt))
                if result is True:
                    self._settled(call.job, call.outcome)
            case _ if type(result) is LeaseLost:
                self._last.pop((call.job.id, call.job.lease), None)

    def _settled(self, job: JobRef, outcome: Outcome) -> None:
        last = self._last.get((job.id, job.lease), {})
        if outcome.state in FINAL:
            last.pop(outcome.recipient, None)
        elif outcome.state is State.QUEUED and last.get(outcome.recipient) == outcome.attempt:
            last[outcome.recipient] = outcome.attempt - 1
