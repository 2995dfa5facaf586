"""A sender on a ledger and a transport in memory, and orders for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.durable.contract import JobRef
from engine.durable.ledger import Fresh
from engine.durable.stored_ledger import FakeLedger
from engine.net.submission import FakeTransport, Letter
from engine.sending.parcels import Order, Pace, Parcel, Route
from engine.sending.sender import Sender

JOB = JobRef("job", datetime(2030, 1, 1, tzinfo=UTC), 1)


@dataclass
class World:
    """`at` is the clock (seconds since 1970)."""

    transport: FakeTransport = field(default_factory=FakeTransport)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    at: float = 1_900_000_000.0

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.ledger.listed, self.ledger.rows, lambda: round(self.at * 1000))
        self.sender = Sender(self.ledger, {Route.SMTP: self.transport}, first_wait=300.0)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


def order(*recipients: str, job: JobRef = JOB, pace: Pace | None = None, route: Route = Route.SMTP) -> Order:
    parcels = {one: Parcel(fresh(one, n), written(one)) for n, one in enumerate(recipients)}
    return Order(job, route, pace or Pace(), parcels)


def fresh(recipient: str, item: int) -> Fresh:
    return Fresh(recipient, item, recipient.rpartition("@")[2], f"<{recipient}>")


def written(recipient: str) -> Callable[[datetime], Letter]:
    return lambda now: Letter("ada@sender.test", recipient, b"Subject: Hi\r\n\r\nHi\r\n", False, f"job/{recipient}")
