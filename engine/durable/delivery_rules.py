"""What a ledger of messages does at each call: pure, so that the one in the database and the one in memory do the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, assert_never

from engine.durable.contract import JobRef
from engine.durable.ledger import FINAL, Entry, Fresh, Outcome, Overtaken, State, Suppressed
from engine.errors import LeaseLost

CUT_OFF = "The engine ended between handing the message over and the server's answer; it may have arrived."
MADE_UP = "Made up by a job here; never sent to"
_WAITING = frozenset({State.QUEUED, State.INTENT, State.RETRY})
"""States of a message that nobody has handed over."""
_KNOWN = frozenset({State.SENT, State.FAILED})
"""Outcomes that take a message out of doubt; another attempt is nobody's to begin then."""
Key: TypeAlias = tuple[str, str]
"""Job and recipient."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger, but for its job."""

    recipient: str
    item: int
    domain: str
    state: State
    message_id: str
    attempts: int = 0
    due_at: int | None = None
    smtp_code: int | None = None
    smtp_reply: str | None = None
    error: str | None = None
    hard: bool = False
    sent_at: int | None = None
    settled_at: int | None = None

    @property
    def entry(self) -> Entry:
        """The row as a caller sees it."""
        told = (self.message_id, self.smtp_code, self.smtp_reply, self.error, self.sent_at)
        return Entry(self.recipient, self.state, self.attempts, self.due_at, *told)


@dataclass(frozen=True, slots=True)
class Opening:
    """Begin (again) with recipients."""

    job: JobRef
    recipients: Sequence[Fresh]
    in_flight: Collection[str] = ()
    replay: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """An attempt begins."""

    job: JobRef
    recipient: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Arming:
    """Everything but the dot is sent."""

    job: JobRef
    recipient: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Settling:
    """What became of an attempt; `armed`: one whose arming went through here."""

    job: JobRef
    outcome: Outcome
    armed: bool


Call: TypeAlias = Opening | Intent | Arming | Settling


def recipients_of(call: Call) -> Iterable[str]:
    """Whom a call is about."""
    if isinstance(call, Opening):
        return [fresh.recipient for fresh in call.recipients]
    return [call.outcome.recipient if isinstance(call, Settling) else call.recipient]


@dataclass
class Book:
    """The rows that some calls are about, and what has become of them.

    `listed` are reasons of suppressed addresses, `made_up` are addresses (keys), `held` the leases (job, lease) that hold,
    `now` is a moment in ms.
    """

    rows: dict[Key, Row]
    listed: dict[str, str]
    made_up: Collection[str]
    held: Collection[tuple[str, int]]
    now: int
    changed: set[Key] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    """Jobs that came forward. An attempt that begins is no progress: one that kills its engine would go on for ever."""
    banned: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Addresses that were suppressed: (reason, job)."""
    cleared: list[Key] = field(default_factory=list)
    """Messages that came out of doubt, as the server's answer was heard after all."""

    def apply(self, call: Call) -> Any:
        """Do what the call says; its result.

        Raises:
            LeaseLost, Suppressed, Overtaken: see `Ledger`.
        """
        match call:
            case Opening():
                return self._open(call)
            case Intent():
                return self._intend(call)
            case Arming():
                return self._arm(call)
            case Settling():
                return self._settle(call)
            case _:
                assert_never(call)

    def _ours(self, job: JobRef) -> bool:
        return (job.id, job.lease) in self.held

    def _put(self, job: JobRef, row: Row) -> None:
        self.rows[job.id, row.recipient] = row
        self.changed.add((job.id, row.recipient))

    def _open(self, call: Opening) -> Mapping[str, Entry]:
        if not self._ours(call.job):
            raise LeaseLost
        for fresh in call.recipients:
            before = self.rows.get((call.job.id, fresh.recipient))
            row = before or Row(fresh.recipient, fresh.item, fresh.domain, State.QUEUED, fresh.message_id)
            if row.recipient not in call.in_flight:
                row = _taken_up(row, call.replay, self.now)
            if row.state in _WAITING and (why := self._refusal(fresh)):
                row = _suppressed(row, why, self.now)
            if before is None:
                self.moved.add(call.job.id)
            if row != before:
                self._put(call.job, row)
        return {fresh.recipient: self.rows[call.job.id, fresh.recipient].entry for fresh in call.recipients}

    def _refusal(self, fresh: Fresh) -> str:
        """Why a recipient gets no message; "" where it gets one."""
        if fresh.skipped:
            return fresh.skipped
        if fresh.recipient in self.listed:
            return _listed(self.listed[fresh.recipient])
        return MADE_UP if fresh.recipient in self.made_up or (fresh.address and fresh.address in self.made_up) else ""

    def _intend(self, call: Intent) -> None:
        row = self.rows.get((call.job.id, call.recipient))
        if self._ours(call.job) and row is not None and row.state in _WAITING and row.attempts <= call.attempt:
            self._put(call.job, replace(row, state=State.INTENT, attempts=call.attempt, due_at=None))

    def _arm(self, call: Arming) -> None:
        row = self.rows.get((call.job.id, call.recipient))
        if not self._ours(call.job) or row is None:
            raise LeaseLost
        if row.state is State.SUPPRESSED:
            raise Suppressed(row.error or "")
        if row.state not in _WAITING or row.attempts > call.attempt:
            raise Overtaken
        if (reason := self.listed.get(call.recipient)) is not None:
            self._put(call.job, _suppressed(row, _listed(reason), self.now))
            raise Suppressed(_listed(reason))
        self.moved.add(call.job.id)
        self._put(call.job, replace(row, state=State.ARMED, attempts=call.attempt, due_at=None))

    def _settle(self, call: Settling) -> bool:
        outcome = call.outcome
        row = self.rows.get((call.job.id, outcome.recipient))
        ours = self._ours(call.job)
        if row is None or row.attempts != outcome.attempt or not _open_to(row.state, outcome.state, call.armed, ours):
            return False
        if row.state is State.IN_DOUBT:
            self.cleared.append((call.job.id, row.recipient))
        self._put(call.job, settled(row, outcome))
        if ours and outcome.state is not State.QUEUED:
            self.moved.add(call.job.id)
        if outcome.suppress and outcome.recipient not in self.listed:
            self.listed[outcome.recipient] = outcome.suppress
            self.banned[outcome.recipient] = (outcome.suppress, call.job.id)
        return True


def settled(row: Row, outcome: Outcome) -> Row:
    """The row after an attempt."""
    if outcome.state is State.QUEUED:
        return replace(row, state=State.QUEUED, attempts=max(0, outcome.attempt - 1), due_at=None)
    return replace(
        row,
        state=outcome.state,
        due_at=outcome.due_at if outcome.state is State.RETRY else None,
        smtp_code=outcome.smtp_code,
        smtp_reply=outcome.smtp_reply,
        error=outcome.error,
        hard=outcome.hard,
        sent_at=outcome.at if outcome.state is State.SENT else None,
        settled_at=outcome.at if outcome.state in FINAL else None,
    )


def _open_to(state: State, outcome: State, armed: bool, ours: bool) -> bool:
    """Whether an outcome of the row's last attempt may still change it.

    Attempts of the same number may have begun here and, unknown to us, elsewhere, but only one of them was armed. So what was
    armed here is told by whoever armed it; what was not leaves alone what somebody else has armed.
    """
    if not armed:
        return ours and state in _WAITING
    return state is State.ARMED or (outcome in _KNOWN and state in (State.IN_DOUBT, State.QUEUED, State.INTENT))


def _taken_up(row: Row, replay: bool, now: int) -> Row:
    """The row when its message is begun with again."""
    if row.state is State.ARMED and not replay:
        return replace(row, state=State.IN_DOUBT, error=CUT_OFF, settled_at=now)
    return replace(row, state=State.QUEUED) if row.state in (State.ARMED, State.INTENT) else row


def _suppressed(row: Row, why: str, now: int) -> Row:
    return replace(row, state=State.SUPPRESSED, error=why, due_at=None, settled_at=now)


def _listed(reason: str) -> str:
    return f"On the suppression list: {reason}"
