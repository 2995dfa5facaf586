"""Group commit: what finished in the last quarter second goes to disk in one transaction, with gaps for other writers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Any

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError

from engine.durable import lease
from engine.durable.commit import Part, commit
from engine.durable.database import Database
from engine.durable.run import JobRun, Pending

WINDOW_SECONDS = 0.25
GAP_SECONDS = 0.005
MAX_CHUNKS = 1000
MAX_BYTES = 64 * 1024 * 1024
"""Encoded rows that may wait for a commit before no new batch starts."""
_BACKOFF_SECONDS = (0.2, 1.0, 5.0)
_HOPELESS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
log = structlog.get_logger()

InThread = Callable[..., Awaitable[Any]]
Committed = Callable[[JobRun, Part, bool], None]


class Committer:
    """Collects the runs that have something to commit. `in_thread` runs a call in the engine's one writing thread."""

    def __init__(self, database: Database, in_thread: InThread, committed: Committed, now_ms: Callable[[], int]) -> None:
        self._database, self._in_thread, self._committed, self._now_ms = database, in_thread, committed, now_ms
        self._dirty: dict[str, JobRun] = {}
        self._wake, self._urgent, self._idle = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._started = self._ended = -WINDOW_SECONDS

    def add(self, run: JobRun) -> None:
        """This run has something to commit."""
        self._dirty[run.id] = run
        self._idle.clear()
        self._wake.set()
        if run.settled or self.full or sum(r.waiting_chunks for r in self._dirty.values()) >= MAX_CHUNKS:
            self._urgent.set()

    @property
    def full(self) -> bool:
        """Whether so much waits that no new batch should start."""
        return sum(run.waiting_bytes for run in self._dirty.values()) >= MAX_BYTES

    async def loop(self) -> None:
        """Commit for ever."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._wake.wait()
            await self._linger(clock)
            self._wake.clear()
            self._urgent.clear()
            self._started = clock()
            await self._flush(clock())
            self._ended = clock()
            if not self._dirty:
                self._idle.set()

    async def flushed(self) -> None:
        """Wait until everything added so far is committed."""
        self._urgent.set()
        await self._idle.wait()

    async def _linger(self, clock: Callable[[], float]) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._urgent.wait(), max(0.0, self._started + WINDOW_SECONDS - clock()))
        await asyncio.sleep(max(0.0, self._ended + GAP_SECONDS - clock()))

    async def _flush(self, now: float) -> None:
        runs, self._dirty = self._dirty, {}
        taken = [(run, *run.part(now, self._now_ms())) for run in runs.values() if not run.lost]
        held = await self._commit([part for _, part, _ in taken])
        for run, part, pending in taken:
            _release(pending)
            self._committed(run, part, run.id in held)

    async def _commit(self, parts: list[Part]) -> frozenset[str]:
        """Commit; where one job's part cannot be stored at all, that job fails and the others are committed without it."""
        if not parts:
            return frozenset()
        try:
            held: frozenset[str] = await self._patiently(commit, self._database, parts)
        except Exception as error:
            if len(parts) > 1:
                return frozenset().union(*[await self._commit([part]) for part in parts])
            await self._refuse(parts[0], error)
            return frozenset()
        return held

    async def _refuse(self, part: Part, error: Exception) -> None:
        """Fail the job whose results the database does not take; not even its message is to be trusted."""
        log.error("results cannot be stored", job=part.job_id, error=type(error).__name__)
        reason = f"Its results could not be stored ({type(error).__name__})."
        try:
            await self._patiently(lease.fail, self._database, part.job_id, part.lease, reason, part.engine)
        except Exception as again:
            log.error("job cannot be failed", job=part.job_id, error=type(again).__name__)

    async def _patiently(self, call: Callable[..., Any], *args: object) -> Any:
        """Do it, again and again while the database cannot: the fence decides whether the work still counts."""
        for attempt in count():
            try:
                return await self._in_thread(call, *args)
            except DBAPIError as error:
                if isinstance(error, _HOPELESS):
                    raise
                delay = _BACKOFF_SECONDS[min(attempt, len(_BACKOFF_SECONDS) - 1)]
                log.error("commit failed, trying again", error=str(error.orig), seconds=delay)
                await asyncio.sleep(delay)


def _release(pending: Pending) -> None:
    for waiter in pending.waiters:
        if not waiter.done():
            waiter.set_result(None)
