"""What a batch of a sending job hands to the sender, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.durable.contract import JobRef
from engine.durable.ledger import Entry, Fresh
from engine.net.submission import Letter


class Route(StrEnum):
    """Where messages go: into the local outbox, to look at, or out through the server's relay."""

    OUTBOX = "outbox"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class Pace:
    """Messages per minute at most, in all and to one recipient's domain; None for no limit."""

    per_minute: int | None = None
    per_domain: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """How many of the list's recipients come before this one, in all and of its domain."""

    of_all: int = 0
    of_domain: int = 0


@dataclass(frozen=True, slots=True)
class Parcel:
    """A recipient of a batch, how to write the message when its turn has come, dated with that moment, and its turn."""

    fresh: Fresh
    write: Callable[[datetime], Letter]
    turn: Turn = Turn()


@dataclass(frozen=True, slots=True)
class Order:
    """The parcels of a batch by recipient, in the order of the list."""

    job: JobRef
    route: Route
    pace: Pace
    parcels: Mapping[str, Parcel]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ledger says of each recipient; `until` (ms) is when to go on, None when all is settled.

    `entries` may be empty where nobody's turn has come. `closed`: nothing of the whole job gets anywhere before `until`.
    """

    entries: Mapping[str, Entry]
    until: int | None = None
    closed: bool = False
