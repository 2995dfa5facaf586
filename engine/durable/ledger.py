"""The ledger of messages as a door: what became of each, written so that none is ever sent twice.

A message is handed over when the server has its final dot, and that may happen only after `armed` is on disk. So a message
that is not armed was not sent, and one that is armed without an answer may have been: nobody sends that again by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.durable.contract import JobRef
from engine.durable.sending_tables import FINAL, BounceKind, State
from engine.errors import LeaseLost

__all__ = ["FINAL", "BounceKind", "Entry", "Fresh", "Ledger", "Outcome", "Overtaken", "Standing", "State", "Suppressed"]


class Suppressed(LeaseLost):
    """The recipient was suppressed meanwhile: it gets no message. Only this recipient; the job goes on."""


class Overtaken(LeaseLost):
    """This attempt is not the recipient's last one any more, or its message is settled. Only this recipient; the job goes on."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A recipient of a batch: its key (`engine.mail.address.folded`), its first item, and the message it is to get.

    `skipped` says why it gets none (made up, not verified); "" for one that is to be sent. `address` is its
    `engine.mail.address.Address.key` where that is another text than the recipient's: made-up addresses are on record by it.
    """

    recipient: str
    item: int
    domain: str
    message_id: str
    skipped: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger says of a recipient. Moments in ms; `attempts` counts those begun."""

    recipient: str
    state: State
    attempts: int = 0
    due_at: int | None = None
    message_id: str = ""
    smtp_code: int | None = None
    smtp_reply: str | None = None
    error: str | None = None
    sent_at: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: `sent`, `retry` (with `due_at`), `failed`, `in_doubt`, or `queued` for one that never began.

    An attempt that never began does not count: the next one has its number.
    `hard`: the mailbox does not exist; with `suppress` it goes onto the list of suppressed addresses in the same transaction.
    """

    recipient: str
    attempt: int
    state: State
    at: int
    due_at: int | None = None
    smtp_code: int | None = None
    smtp_reply: str | None = None
    error: str | None = None
    hard: bool = False
    suppress: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job's messages have fared since it was submitted or last resumed by a person."""

    sent: int
    failed: int
    hard: int


class Ledger(Protocol):
    """Who got what. Every method returns once its change is on disk."""

    async def open(
        self, job: JobRef, recipients: Sequence[Fresh], in_flight: Collection[str] = (), replay: bool = False
    ) -> Mapping[str, Entry]:
        """Begin (again) with the recipients of a batch; their entries, by recipient.

        New ones are queued; what was queued, in intent or due again is checked against the list of suppressed addresses and
        those that a job here made up, and becomes `suppressed` where it is among them, as it does where `skipped` says so.
        `armed` ones of an attempt that is over (not `in_flight` in this process) become `in_doubt`; with `replay`, for a
        transport to which the same message may be handed again (a file that is replaced), they are queued again.

        Raises:
            LeaseLost: the job is no longer held under this lease; nothing was written.
        """

    async def intend(self, job: JobRef, recipient: str) -> int:
        """The number of the attempt that begins now. Not waited for: written together with what comes next.

        Raises:
            LookupError: the recipient was not opened here, or its message is settled.
            LeaseLost: nothing was opened here under this lease, or that was lost since.
        """

    async def arm(self, job: JobRef, recipient: str, attempt: int) -> None:
        """Everything but the dot is sent.

        Raises:
            LeaseLost: the dot must not be sent. As its subclass `Suppressed`, the recipient was suppressed meanwhile: its entry
                says so with the error's text. As `Overtaken`, the message is armed, settled or begun anew elsewhere. Else the
                job is not ours.
        """

    async def settle(self, job: JobRef, outcome: Outcome) -> bool:
        """Keep what became of an attempt. False when that changes nothing, as a later attempt has begun.

        What became of a message that was armed here is a fact, kept even when the job is no longer ours: then it takes the
        message out of doubt where the server has it or has refused it. Of one that was never armed it is kept only while the
        job is ours. It counts as progress of the job where that is still ours.
        """

    async def standing(self, job: JobRef) -> Standing:
        """How the job's messages have fared since it was submitted or last resumed."""

    async def last_sent(self, job: JobRef) -> int | None:
        """When the job's last message was sent (ms), so that rates hold over restarts."""

    async def begun(self, job: JobRef) -> Mapping[str, int]:
        """How many recipients of each domain are settled or were tried."""

    async def close(self) -> None:
        """Write what waits, and let go of the database."""
