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

__all__ = ["FINAL", "BounceKind", "Entry", "Fresh", "Ledger", "Outcome", "Standing", "State"]


@dataclass(frozen=True, slots=True)
class Fresh:
    """A recipient of a batch: its key (`engine.mail.address.folded`), its first item, and the message it is to get.

    `skipped` says why it gets none (made up, not verified); "" for one that is to be sent.
    """

    recipient: str
    item: int
    domain: str
    message_id: str
    skipped: str = ""


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
        becomes `suppressed` where it is on it, as it does where `skipped` says so. `armed` ones of an attempt that is over (not
        `in_flight` in this process) become `in_doubt`; with `replay`, for a transport to which the same message may be handed
        again (a file that is replaced), they are queued again.

        Raises:
            LeaseLost: the job is no longer held under this lease; nothing was written.
        """

    async def intend(self, job: JobRef, recipient: str) -> int:
        """The number of the attempt that begins now. Not waited for: written together with what comes next."""

    async def arm(self, job: JobRef, recipient: str, attempt: int) -> None:
        """Everything but the dot is sent.

        Raises:
            LeaseLost: the job is no longer ours, or the recipient was suppressed meanwhile: the dot must not be sent.
        """

    async def settle(self, job: JobRef, outcome: Outcome) -> bool:
        """Keep what became of an attempt: a fact, kept even when the job is no longer ours. False when a later attempt has begun.

        Counts as progress of the job where that is still ours.
        """

    async def standing(self, job: JobRef) -> Standing:
        """How the job's messages have fared since it was submitted or last resumed."""

    async def last_sent(self, job: JobRef) -> int | None:
        """When the job's last message was sent (ms), so that rates hold over restarts."""
