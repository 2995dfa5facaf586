"""The tables of sending: what became of each message, who gets none, what bounced, what is attached, what was spent.

Addresses are keys: one text per mailbox, as `engine.mail.address` folds them. Moments are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, text
from sqlmodel import Field, SQLModel

from engine.durable.tables import _big, _bytewise, _ms, _serial, _table


class State(StrEnum):
    """Where a message is: it is handed over between `armed` and `sent`, and nowhere else."""

    QUEUED = "queued"
    INTENT = "intent"
    ARMED = "armed"
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    SUPPRESSED = "suppressed"


FINAL = frozenset({State.SENT, State.FAILED, State.IN_DOUBT, State.SUPPRESSED})
"""States in which nothing more is done by itself."""
UNTRIED = frozenset({State.QUEUED, State.INTENT})
"""States of a message whose first turn may still come."""


class BounceKind(StrEnum):
    """Whether a mailbox is gone for good (hard) or could not take this message (soft)."""

    HARD = "hard"
    SOFT = "soft"


def _one_of(column: str, words: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"


_SETTLED = text("settled_at IS NOT NULL")


class Delivery(SQLModel, table=True):
    """One message to one recipient of a job. `attempts` counts from when it was begun, `hard`: refused for good."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint(_one_of("state", State), name="delivery_state_known"),
        CheckConstraint("state <> 'retry' OR due_at IS NOT NULL", name="retry_has_due_at"),
        CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_has_sent_at"),
        Index("delivery_by_state", "job_id", "state", "due_at"),
        Index("delivery_by_message", "message_id"),
        Index("delivery_by_domain", "job_id", "domain", "state"),
        # One entry per message, made when it is settled: how a job fares, and when it last sent.
        Index("delivery_settled", "job_id", "settled_at", "state", "hard", sqlite_where=_SETTLED, postgresql_where=_SETTLED),
    )

    job_id: str = Field(sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    recipient: str = _bytewise(primary_key=True)
    item: int = _big()
    domain: str
    state: str = State.QUEUED
    attempts: int = 0
    due_at: int | None = _ms()
    message_id: str
    smtp_code: int | None = None
    smtp_reply: str | None = None
    error: str | None = None
    hard: bool = False
    sent_at: int | None = _ms()
    settled_at: int | None = _ms()
    resolution: str | None = None
    updated_at: int = _ms(nullable=False)


class Suppression(SQLModel, table=True):
    """An address that gets no mail from here, and why. It outlives the jobs."""

    __tablename__ = "suppression"
    __table_args__ = (Index("suppression_recent", "created_at", "address"),)

    address: str = _bytewise(primary_key=True)
    shown: str
    reason: str
    source: str
    job_id: str | None = None
    created_at: int = _ms(nullable=False)
    updated_at: int = _ms(nullable=False)


class ListAction(StrEnum):
    """What happened to an address on the list of suppressed ones."""

    ADDED = "added"
    REMOVED = "removed"


class SuppressionEvent(SQLModel, table=True):
    """An address was put on the list of suppressed ones, or taken off it: when, why, and by what way."""

    __tablename__ = "suppression_event"
    __table_args__ = (
        CheckConstraint(_one_of("action", ListAction), name="suppression_action_known"),
        Index("suppression_event_by_address", "address", "id"),
    )

    id: int | None = _serial()
    address: str = _bytewise()
    at: int = _ms(nullable=False)
    action: str
    reason: str
    source: str
    job_id: str | None = None


class Bounce(SQLModel, table=True):
    """A report that a message did not reach its mailbox; `digest` tells one that was read before."""

    __tablename__ = "bounce"
    __table_args__ = (
        CheckConstraint(_one_of("kind", BounceKind), name="bounce_kind_known"),
        Index("bounce_by_digest", "digest", unique=True),
        Index("bounce_by_address", "address", "at"),
    )

    id: int | None = _serial()
    digest: str
    address: str = _bytewise()
    at: int = _ms(nullable=False)
    kind: str
    status: str = ""
    diagnostic: str = ""
    message_id: str | None = None
    job_id: str | None = None


class JobFile(SQLModel, table=True):
    """A file that belongs to a job's parameters, such as an attachment."""

    __tablename__ = "job_file"

    job_id: str = Field(sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    name: str
    content_type: str
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Spending(SQLModel, table=True):
    """What a job has asked of a paid service: requests that were begun, tokens that were counted."""

    __tablename__ = "spending"

    job_id: str = Field(sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    requests: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    tokens_in: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    tokens_out: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


deliveries = _table(Delivery)
suppressions = _table(Suppression)
suppression_events = _table(SuppressionEvent)
bounces = _table(Bounce)
job_files = _table(JobFile)
spendings = _table(Spending)
