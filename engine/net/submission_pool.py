"""The connections to one relay: opened as they are needed, used again, fewer where it wants fewer, slowly where it is down."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from engine.net.submission import Receipt, Result, Trouble
from engine.net.submission_dial import Unavailable
from engine.net.submission_session import Session

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a relay that gave no connection is asked again, doubled each time."""
PATIENCE = 2.0
"""Seconds that a letter waits for that; where it would be longer, it comes back unsent at once."""
REMEMBERED = 5.0
"""Seconds at most for which a wrong login or certificate is not tried again: all letters at once, yet short for who mends it."""
SHRUNK = 60.0
"""Seconds for which a relay that wanted fewer connections gets no more than it took."""
_LASTING = frozenset({Trouble.LOGIN, Trouble.TLS})
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections at once, letters on one connection, and seconds for which an idle one is kept."""

    connections: int = 20
    letters: int = 500
    idle: float = 20.0


class Pool:
    """Lends connections. `closings` counts the times that the relay answered 421 since it last accepted a letter."""

    def __init__(self, dial: Callable[[], Awaitable[Session]], limits: Limits) -> None:
        self._dial, self._limits = dial, limits
        self._limit, self._shrunk_until = limits.connections, 0.0
        self._idle: list[Session] = []
        self._lent: set[Session] = set()
        self._dialling = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._gate = asyncio.Lock()
        self._proven = False
        self._failures, self._resume_at = 0, 0.0
        self._failure: Unavailable | None = None
        self._reaper: asyncio.TimerHandle | None = None
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()
        self.closings = 0

    @property
    def open(self) -> int:
        """Connections open now."""
        return len(self._idle) + len(self._lent)

    async def acquire(self, fresh: bool = False) -> Session:
        """A connection, idle or new; with `fresh` a new one, and idle ones are closed: they cannot be better than the last.

        Raises:
            Unavailable: the relay gives none, or the pool is closed.
        """
        while True:
            if self._closed.is_set():
                raise Unavailable(Receipt(Result.UNSENT, error="the transport is closed"))
            session = self._rested(fresh)
            if session is not None:
                self._lent.add(session)
                return session
            if self.open + self._dialling < self._room():
                session = await self._new()
                if session is not None:
                    return session
            else:
                await self._turn()

    def settle(self, session: Session, receipt: Receipt) -> None:
        """Give a connection back after a letter."""
        if receipt.result is Result.SENT:
            self._failures = self.closings = 0
        if not session.reusable:
            self.discard(session)
            if receipt.trouble is Trouble.CLOSING:
                self._closing(Unavailable(receipt))
            return
        self._lent.discard(session)
        if self._closed.is_set() or session.used >= self._limits.letters or self.open >= self._room():
            self._retire(session)
        else:
            loop = asyncio.get_running_loop()
            session.rested_at = loop.time()
            self._idle.append(session)
            if self._reaper is None:
                self._reaper = loop.call_later(self._limits.idle, self._reap)
        self._wake()

    def discard(self, session: Session) -> None:
        """Drop a connection that is of no use."""
        session.drop()
        self._lent.discard(session)
        self._wake()

    async def close(self) -> None:
        """Close what is idle, and what is lent as it comes back; whoever waits is told."""
        self._closed.set()
        if self._reaper is not None:
            self._reaper.cancel()
        while self._idle:
            self._retire(self._idle.pop())
        for _ in range(len(self._waiting)):
            self._wake()
        await asyncio.gather(*self._goodbyes)

    def _rested(self, fresh: bool) -> Session | None:
        """An idle connection that nothing was heard of meanwhile, the one used last."""
        while self._idle:
            session = self._idle.pop()
            if fresh:
                self._retire(session)
            elif session.reusable:
                return session
            else:
                session.drop()
        return None

    def _room(self) -> int:
        """How many connections there may be now."""
        if self._limit < self._limits.connections and asyncio.get_running_loop().time() >= self._shrunk_until:
            self._limit = self._limits.connections
        return self._limit

    async def _turn(self) -> None:
        """Wait until a connection, or the place of one, is free."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def _new(self) -> Session | None:
        """A new connection; None where there is none now, but another look is worth it.

        Until a first one has come about, and after a failure, one letter at a time tries: a wrong password is not said ten
        times, and a relay that is down is not beset. Only that letter pays for it; none does for a wrong password or certificate.
        """
        self._dialling += 1
        session: Session | None = None
        try:
            if not self._proven:
                async with self._gate:
                    if not self._proven:
                        await self._pause()
                        session = await self._tried(alone=True)
                        return session
            session = await self._tried(alone=False)
            return session
        finally:
            self._dialling -= 1
            if session is None:
                self._wake()

    async def _pause(self) -> None:
        """Wait until the relay may be asked again.

        Raises:
            Unavailable: that would take too long, or would not help.
        """
        wait = self._resume_at - asyncio.get_running_loop().time()
        if self._failure is None or wait <= 0:
            return
        told = self._failure.receipt
        if told.trouble in _LASTING:
            raise Unavailable(replace(told, result=Result.UNSENT, wait=wait))
        if wait > PATIENCE:
            # Without the code: a 421 is counted once, by the letter that heard it.
            raise Unavailable(Receipt(Result.UNSENT, error=told.error, trouble=Trouble.CONNECTION, wait=wait))
        try:
            async with asyncio.timeout(wait):
                await self._closed.wait()
        except TimeoutError:
            return
        raise Unavailable(Receipt(Result.UNSENT, error="the transport is closed"))

    async def _tried(self, alone: bool) -> Session | None:
        try:
            session = await self._dial()
        except Unavailable as failure:
            if failure.receipt.trouble is Trouble.CLOSING:
                self.closings += 1
            if self.open:
                self._shrink()
                return None
            if alone or self._proven:
                self._failed(failure)
            if alone and failure.receipt.trouble in _LASTING:
                raise Unavailable(replace(failure.receipt, result=Result.UNSENT)) from failure
            if alone:
                raise
            return None
        self._proven = True
        self._lent.add(session)
        self._limit = max(self._limit, self.open)
        return session

    def _closing(self, failure: Unavailable) -> None:
        """The relay said 421 in the middle: fewer connections, and a pause before the next one."""
        self.closings += 1
        self._shrink()
        self._failed(failure)

    def _shrink(self) -> None:
        self._limit = max(1, self.open)
        self._shrunk_until = asyncio.get_running_loop().time() + SHRUNK

    def _failed(self, failure: Unavailable) -> None:
        self._failures += 1
        self._failure, self._proven = failure, False
        longest = REMEMBERED if failure.receipt.trouble in _LASTING else LONGEST_PAUSE
        pause = min(FIRST_PAUSE * 2 ** min(self._failures - 1, 10), longest)
        self._resume_at = asyncio.get_running_loop().time() + pause
        log.warning("relay_unavailable", reason=failure.receipt.error, code=failure.receipt.code, seconds=pause)

    def _reap(self) -> None:
        """Close what has been idle for too long; called by a timer."""
        loop = asyncio.get_running_loop()
        before = loop.time() - self._limits.idle
        kept = [session for session in self._idle if session.reusable and session.rested_at > before]
        for session in self._idle:
            if session not in kept:
                self._retire(session)
        self._idle = kept
        self._reaper = None
        if kept:
            self._reaper = loop.call_at(kept[0].rested_at + self._limits.idle, self._reap)

    def _retire(self, session: Session) -> None:
        """Say goodbye in the background."""
        task = asyncio.get_running_loop().create_task(session.leave())
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)
