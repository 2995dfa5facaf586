"""A verifier over fakes that count, for tests of what uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from engine.durable.contract import Json
from engine.durable.verdict_cache import FakeVerdicts
from engine.mail.address import Address
from engine.mail.evidence import Answer, CatchAll, DomainFacts, DomainOutcome, Mailbox, Reason, ServiceAnswer, Status
from engine.net.dns import FakeResolver
from engine.verifying.verifier import Limits, Verifier

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SINCE = round(NOW.timestamp() * 1000)
MX: dict[str, DomainFacts | Sequence[str]] = {
    "d.test": ["mx.d.test"],
    "e.test": ["mx.e.test"],
    "nullmx.test": DomainFacts(DomainOutcome.NULL_MX),
    "dead.test": DomainFacts(DomainOutcome.ERROR, detail="no answer"),
}


class Prober:
    """Answers what it is told, after a gate; counts."""

    def __init__(self, *answers: Answer, busy: float = 0.0) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.busy = busy

    @property
    def probes(self) -> int:
        return len(self.asked)

    def backlog(self, facts: DomainFacts) -> float:
        return self.busy

    async def probe(self, address: Address, facts: DomainFacts) -> Mailbox:
        self.asked.append(address.key)
        await self.open.wait()
        answer = self.answers.pop(0) if self.answers else self.usual(address)
        return Mailbox(answer, CatchAll.NO if answer is Answer.EXISTS else None, facts.hosts[0], 250)

    async def close(self) -> None:
        """There is nothing to let go."""

    def usual(self, address: Address) -> Answer:
        """Names with an x are not there."""
        return Answer.NOT_FOUND if "x" in address.local else Answer.EXISTS


class Paid:
    """A service that begins a batch, answers address by address and may stop there."""

    def __init__(self) -> None:
        self.calls = 0
        self.charged: list[str] = []
        self.stumble = False

    async def validate(
        self,
        addresses: Sequence[str],
        key: str,
        *,
        batch: str | None,
        started: Callable[[str], Awaitable[None]],
        answered: Callable[[Mapping[str, ServiceAnswer]], Awaitable[None]],
    ) -> None:
        self.calls += 1
        self.charged.extend(addresses)
        await started("b1")
        for address in addresses:
            await answered({address: ServiceAnswer(Status.VALID, Reason.MAILBOX_EXISTS, 95)})
            if self.stumble:
                raise OSError("the line went dead")


class Clock:
    """The moment, which tests move on."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Tools:
    """What a batch gets, over a verifier made of fakes."""

    verifier: Verifier
    clock: Clock = field(default_factory=Clock)
    secrets: Mapping[str, str] = field(default_factory=dict)
    saved: list[Json] = field(default_factory=list)

    @property
    def doors(self) -> Mapping[str, Any]:
        return {"verifier": self.verifier}

    def now(self) -> datetime:
        return self.clock()

    async def save(self, state: Json) -> None:
        self.saved.append(state)


def fake_verifier(prober: Prober | None = None, limits: Limits | None = None) -> Verifier:
    """A verifier over fakes."""
    return Verifier(FakeVerdicts(), FakeResolver(MX), prober or Prober(), Paid(), limits or Limits(waits=(300.0, 1200.0)))
