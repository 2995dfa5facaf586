"""The ledger as a door: all changes that wait share a transaction, so that many connections cost little more than one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from engine.durable import deliveries
from engine.durable.contract import JobRef
from engine.durable.database import Database, is_away
from engine.durable.delivery_attempts import Attempts
from engine.durable.delivery_rules import Arming, Book, Call, Intent, Key, Opening, Row, Settling, recipients_of
from engine.durable.ledger import Entry, Fresh, Outcome, Standing, State
from engine.durable.sending_tables import UNTRIED
from engine.errors import LeaseLost

BUSY_SECONDS = 0.02
GAP_SECONDS = 0.005
"""Others may write for that long after at most `BUSY_SECONDS` of writing here.

A gap after each transaction would cost more than the transactions do: a connection waits for one at every message.
"""
MAX_RECIPIENTS = 1000
"""Rows that one transaction is about, so that nobody waits long for it."""
TRIES = 3
"""After so many failures in a row an opening or an arming fails; outcomes are facts and wait for the database."""
_BACKOFF_SECONDS = (0.2, 1.0, 5.0)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A call that waits to be written; nobody waits for an intent."""

    call: Call
    done: asyncio.Future[Any] | None

    @property
    def wanted(self) -> bool:
        """Whether it is still to be written: an outcome is a fact, even if nobody waits for it any more."""
        return isinstance(self.call, Settling) or self.done is None or not self.done.done()

    def answer(self, result: Any) -> None:
        """Tell whoever waits."""
        if self.done is None or self.done.done():
            return
        if isinstance(result, Exception):
            self.done.set_exception(result)
        else:
            self.done.set_result(result)


class StoredLedger:
    """The ledger in the database; opened at first use, so that it can be made on any machine and in any process."""

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._open_database = open_database
        self._opened: Database | None = None
        self._opening = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._attempts = Attempts()
        self._queue: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._ended = self._busy = 0.0
        self._failures = 0
        self._closing = False

    async def open(
        self, job: JobRef, recipients: Sequence[Fresh], in_flight: Collection[str] = (), replay: bool = False
    ) -> Mapping[str, Entry]:
        """Begin with recipients, batchwise."""
        entries: dict[str, Entry] = {}
        for start in range(0, len(recipients), MAX_RECIPIENTS):
            part = recipients[start : start + MAX_RECIPIENTS]
            entries |= await self._ask(Opening(job, part, frozenset(in_flight), replay))
        self._attempts.opened(job, entries, in_flight)
        return entries

    async def intend(self, job: JobRef, recipient: str) -> int:
        """Count the attempt here; it is written with what comes next."""
        attempt = self._attempts.begin(job, recipient)
        self._queue.append(_Waiting(Intent(job, recipient, attempt), None))
        return attempt

    async def arm(self, job: JobRef, recipient: str, attempt: int) -> None:
        """Return when `armed` is on disk."""
        await self._ask(Arming(job, recipient, attempt))

    async def settle(self, job: JobRef, outcome: Outcome) -> bool:
        """Return when the outcome is on disk, or without effect."""
        cleaned = replace(outcome, smtp_reply=_storable(outcome.smtp_reply), error=_storable(outcome.error))
        call = Settling(job, cleaned, self._attempts.armed(job, outcome))
        return bool(await self._ask(call))

    async def standing(self, job: JobRef) -> Standing:
        """Counted in the database."""
        return await asyncio.to_thread(lambda: deliveries.standing(self._database(), job.id))

    async def last_sent(self, job: JobRef) -> int | None:
        """Looked up in the database."""
        return await asyncio.to_thread(lambda: deliveries.last_sent(self._database(), job.id))

    async def begun(self, job: JobRef) -> Mapping[str, int]:
        """Counted in the database."""
        return await asyncio.to_thread(lambda: deliveries.begun(self._database(), job.id))

    async def close(self) -> None:
        """Write what waits, once more if the database fails, and close it."""
        self._closing = True
        while self._queue or self._writer is not None:
            self._start()
            if self._writer is not None:
                await asyncio.wait({self._writer})
        if self._thread is not None:
            self._thread.shutdown()
        if self._opened is not None:
            self._opened.close()

    async def _ask(self, call: Call) -> Any:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(call, done))
        self._start()
        return await done

    def _start(self) -> None:
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="ledger")

    async def _write(self) -> None:
        """Write groups until nobody waits for one."""
        clock = asyncio.get_running_loop().time
        try:
            while self._queue and (self._closing or any(waiting.done is not None for waiting in self._queue)):
                await asyncio.sleep(max(0.0, self._ended + self._pause() - clock()))
                started = clock()
                if started >= self._ended + GAP_SECONDS:
                    self._busy = 0.0
                await self._flush(self._take())
                self._ended = clock()
                self._busy += self._ended - started
        finally:
            self._writer = None

    def _pause(self) -> float:
        if self._failures:
            return _BACKOFF_SECONDS[min(self._failures, len(_BACKOFF_SECONDS)) - 1]
        return GAP_SECONDS if self._busy >= BUSY_SECONDS else 0.0

    def _take(self) -> list[_Waiting]:
        """The next group: as many as one transaction may hold, without what nobody wants any more."""
        group: list[_Waiting] = []
        size = taken = 0
        for waiting in self._queue:
            size += len(list(recipients_of(waiting.call))) if isinstance(waiting.call, Opening) else 1
            if group and size > MAX_RECIPIENTS:
                break
            taken += 1
            if waiting.wanted:
                group.append(waiting)
        del self._queue[:taken]
        return list(_without_intents_of_armed(group))

    async def _flush(self, group: list[_Waiting]) -> None:
        """Write a group; where the database refuses it for what is in it, job by job and then one by one."""
        if not group:
            return
        try:
            results = await self._in_thread([waiting.call for waiting in group])
        except Exception as error:
            if isinstance(error, DBAPIError) and is_away(error):
                self._again(group, error)
            elif len(group) > 1:
                for part in _parts(group):
                    await self._flush(part)
            else:
                log.error("a message's state cannot be stored", job=group[0].call.job.id, error=type(error).__name__)
                group[0].answer(error)
            return
        self._failures = 0
        for waiting, result in zip(group, results, strict=True):
            self._attempts.learn(waiting.call, result)
            waiting.answer(result)

    def _again(self, group: list[_Waiting], error: DBAPIError) -> None:
        """Put a group back that the database could not write just now."""
        self._failures += 1
        log.error("ledger not written, trying again", error=type(error.orig).__name__, failures=self._failures)
        kept: list[_Waiting] = []
        for waiting in group:
            patient = isinstance(waiting.call, Settling) and not self._closing
            if patient or self._failures < TRIES:
                kept.append(waiting)
            else:
                waiting.answer(error)
        self._queue[:0] = kept

    async def _in_thread(self, calls: list[Call]) -> list[Any]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        work: Callable[[], list[Any]] = lambda: deliveries.write(self._database(), calls)  # noqa: E731
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _database(self) -> Database:
        with self._opening:
            if self._opened is None:
                self._opened = self._open_database()
            return self._opened


class FakeLedger:
    """The ledger in memory, for tests. Every job is held under every lease until `lost` names it (job, lease).

    Ledgers with the same `rows` and `listed` are like processes that share a database.
    """

    def __init__(
        self,
        listed: dict[str, str] | None = None,
        rows: dict[Key, Row] | None = None,
        now: Callable[[], int] = lambda: round(time.time() * 1000),
    ) -> None:
        self.listed = {} if listed is None else listed
        self.rows = {} if rows is None else rows
        self.made_up: set[str] = set()
        self.lost: set[tuple[str, int]] = set()
        self.most_armed = 0
        self._now = now
        self._attempts = Attempts()
        self._intents: list[Intent] = []

    def states(self, job_id: str) -> dict[str, State]:
        """The state of each recipient of a job."""
        return {recipient: row.state for (job, recipient), row in self.rows.items() if job == job_id}

    async def open(
        self, job: JobRef, recipients: Sequence[Fresh], in_flight: Collection[str] = (), replay: bool = False
    ) -> Mapping[str, Entry]:
        """Begin with recipients."""
        entries: Mapping[str, Entry] = self._apply(Opening(job, recipients, frozenset(in_flight), replay))
        self._attempts.opened(job, entries, in_flight)
        return entries

    async def intend(self, job: JobRef, recipient: str) -> int:
        """Count the attempt."""
        attempt = self._attempts.begin(job, recipient)
        self._intents.append(Intent(job, recipient, attempt))
        return attempt

    async def arm(self, job: JobRef, recipient: str, attempt: int) -> None:
        """Armed at once."""
        self._apply(Arming(job, recipient, attempt))
        self.most_armed = max(self.most_armed, sum(row.state is State.ARMED for row in self.rows.values()))

    async def settle(self, job: JobRef, outcome: Outcome) -> bool:
        """Settled at once."""
        call = Settling(job, outcome, self._attempts.armed(job, outcome))
        return bool(self._apply(call))

    async def standing(self, job: JobRef) -> Standing:
        """Counted from the start."""
        mine = [row for (job_id, _), row in self.rows.items() if job_id == job.id]
        failed = [row.hard for row in mine if row.state is State.FAILED]
        return Standing(sum(row.state is State.SENT for row in mine), len(failed), sum(failed))

    async def last_sent(self, job: JobRef) -> int | None:
        """The latest of them."""
        moments = (row.sent_at for (job_id, _), row in self.rows.items() if job_id == job.id)
        return max((at for at in moments if at is not None), default=None)

    async def begun(self, job: JobRef) -> Mapping[str, int]:
        """Counted from the start."""
        return Counter(row.domain for (job_id, _), row in self.rows.items() if job_id == job.id and row.state not in UNTRIED)

    async def close(self) -> None:
        """Nothing waits here."""

    def _apply(self, call: Call) -> Any:
        intents, self._intents = self._intents, []
        for one in (*intents, call):
            held = {(one.job.id, one.job.lease)} - self.lost
            try:
                result = Book(self.rows, self.listed, self.made_up, held, self._now()).apply(one)
            except LeaseLost as refused:
                result = refused
            self._attempts.learn(one, result)
        if isinstance(result, LeaseLost):
            raise result
        return result


def _without_intents_of_armed(group: list[_Waiting]) -> Iterator[_Waiting]:
    """An arming says all that the intent before it does."""
    arming = {(w.call.job, w.call.recipient, w.call.attempt) for w in group if isinstance(w.call, Arming)}
    for waiting in group:
        call = waiting.call
        if not (isinstance(call, Intent) and (call.job, call.recipient, call.attempt) in arming):
            yield waiting


def _parts(group: list[_Waiting]) -> list[list[_Waiting]]:
    """The group by job, or one by one where it is all of one job."""
    jobs: dict[str, list[_Waiting]] = {}
    for waiting in group:
        jobs.setdefault(waiting.call.job.id, []).append(waiting)
    return list(jobs.values()) if len(jobs) > 1 else [[waiting] for waiting in group]


def _storable(text: str | None) -> str | None:
    """Text of a server that every database can keep."""
    return None if text is None else text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
