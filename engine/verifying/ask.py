"""What a batch asks of the verifier, what it gets back, and what it remembers while it is parked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from engine.durable.contract import Json
from engine.durable.verdicts import Fresh, Known
from engine.mail.evidence import Level, Status, Verdict

SAME_JOB_MS = 3_600_000
"""How long a job does not repeat a question that it got no final answer to, in milliseconds."""


class Service(StrEnum):
    """Who is asked."""

    DNS = "dns"
    SMTP = "smtp"
    MAILSSO = "mailsso"

    @property
    def level(self) -> Level:
        """How far an answer of this service goes."""
        return Level.DOMAIN if self is Service.DNS else Level.MAILBOX


_DEEP_ENOUGH = {service: frozenset(level.value for level in Level if level.rank >= service.level.rank) for service in Service}
_UNKNOWN, _INVALID = Status.UNKNOWN.value, Status.INVALID.value


@dataclass(frozen=True, slots=True)
class Ask:
    """How to verify. `since` is when the job was submitted and `oldest` when a known verdict must have been found (ms, UTC).

    `synthetic` are the keys of made-up addresses, whose mailboxes are probed within a cap only; without `patient` a greylisted
    mailbox is not tried again.
    """

    service: Service
    job_id: str = ""
    since: int = 0
    oldest: int = 0
    api_key: str = field(default="", repr=False)
    synthetic: frozenset[str] = frozenset()
    patient: bool = True

    def accepted(self, rows: Iterable[Known]) -> dict[str, Found]:
        """What of the known spares a question: a final verdict, deep and young enough, or an open one of this very job."""
        found, deep, mine, oldest = {}, _DEEP_ENOUGH[self.service], self.job_id, self.oldest
        for address, status, reason, level, score, data, checked_at, job_id, _ in rows:
            if status == _UNKNOWN:
                accepted = job_id == mine and checked_at >= self.since
            else:
                accepted = checked_at >= oldest and (level in deep or status == _INVALID)
            if accepted:
                found[address] = Found(status, reason, level, score, checked_at, job_id != mine, data)
        return found


class Found(NamedTuple):
    """A verdict as a row shows it. `cached`: it was known before this job asked."""

    status: str
    reason: str
    level: str
    score: int
    checked_at: int
    cached: bool = False
    data: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def of_verdict(cls, verdict: Verdict, checked_at: int, cached: bool = False) -> Self:
        """From a verdict just made."""
        told = verdict.status.value, verdict.reason.value, verdict.level.value, verdict.score
        return cls(*told, checked_at, cached, verdict.data())


def fresh(address: str, found: Found, ask: Ask) -> Fresh:
    """What the cache keeps of a verdict; of a made-up address also that it is one, so that nobody ever writes to it."""
    data = dict(found.data) | ({"synthetic": True} if address in ask.synthetic else {})
    return Fresh(
        address=address,
        status=found.status,
        reason=found.reason,
        level=found.level,
        score=found.score,
        data=data,
        checked_at=found.checked_at,
        job_id=ask.job_id or None,
        service=ask.service.value,
    )


@dataclass
class Memory:
    """What a batch keeps while it is parked.

    `waits`: greylisted addresses with (tries so far, due in ms). `open`: unknown verdicts of this job, which no cache keeps as
    final. `calls`: questions asked so far, by service. `batch`: an outside service's batch that is paid for. `naps`: times parked
    in a row without progress.
    """

    waits: dict[str, tuple[int, int]] = field(default_factory=dict)
    open: dict[str, Found] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    batch: str | None = None
    naps: int = 0
    left: int = -1

    @classmethod
    def of(cls, state: Json) -> Self:
        """From what was saved."""
        if not state:
            return cls()
        waits = {key: (int(tries), int(due)) for key, (tries, due) in state["waits"].items()}
        unknown = {key: Found(*row) for key, row in state["open"].items()}
        return cls(waits, unknown, dict(state["calls"]), state["batch"], state["naps"], state["left"])

    def state(self) -> Json:
        """To be saved."""
        unknown = {
            key: [f.status, f.reason, f.level, f.score, f.checked_at, f.cached, dict(f.data)] for key, f in self.open.items()
        }
        waits = {key: list(wait) for key, wait in self.waits.items()}
        return {"waits": waits, "open": unknown, "calls": self.calls, "batch": self.batch, "naps": self.naps, "left": self.left}

    def count(self, service: str, number: int = 1) -> None:
        """Questions were asked."""
        self.calls[str(service)] = self.calls.get(str(service), 0) + number


@dataclass(frozen=True, slots=True)
class Answers:
    """Verdicts by key; with `until` (ms) some are still out, and that is when to ask again."""

    found: Mapping[str, Found]
    until: int | None = None
