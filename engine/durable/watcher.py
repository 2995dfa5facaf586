"""Learning at once, and cheaply, that something was committed.

SQLite: `PRAGMA data_version` on a connection of our own, about 3 µs a look. PostgreSQL: LISTEN. Both with a fallback, so
that nothing waits longer than `FALLBACK_SECONDS` even when a notice is lost.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import structlog

from engine.durable.database import CHANNEL, Database

POLL_SECONDS = 0.02
FALLBACK_SECONDS = 1.0
log = structlog.get_logger()


class Watcher:
    """Wakes every waiter after each commit to the database, by whichever process. One per process and event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Begin to watch."""
        watch = self._poll if self._database.is_sqlite else self._listen
        self._task = asyncio.create_task(watch(), name="watcher")

    async def stop(self) -> None:
        """Stop watching and wake everybody a last time."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._notify()

    async def wait(self, timeout: float = FALLBACK_SECONDS) -> None:
        """Return after the next commit, or after `timeout` seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), timeout)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _poll(self) -> None:
        """Runs until cancelled; comes back after the file could not be read."""
        while True:
            try:
                await self._poll_until_error()
            except Exception as error:  # waiters have their fallback meanwhile
                log.warning("database cannot be watched", error=type(error).__name__)
                await asyncio.sleep(FALLBACK_SECONDS)

    async def _poll_until_error(self) -> None:
        connection = self._database.raw()
        try:
            seen = None
            while True:
                version = connection.execute("PRAGMA data_version").fetchone()[0]
                if version != seen:
                    seen = version
                    self._notify()
                await asyncio.sleep(POLL_SECONDS)
        finally:
            connection.close()

    async def _listen(self) -> None:
        loop, stop = asyncio.get_running_loop(), threading.Event()
        thread = threading.Thread(target=self._receive, args=(loop, stop), name="watcher", daemon=True)
        thread.start()
        try:
            await asyncio.Event().wait()
        finally:
            stop.set()

    def _receive(self, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        """Runs in a thread of its own; comes back after the server was away."""
        while not stop.is_set():
            try:
                self._receive_until(loop, stop, self._database.raw())
            except Exception as error:  # the server is away: waiters have their fallback meanwhile
                log.warning("database notices interrupted", error=type(error).__name__)
                stop.wait(FALLBACK_SECONDS)

    def _receive_until(self, loop: asyncio.AbstractEventLoop, stop: threading.Event, connection: Any) -> None:
        with connection:
            connection.execute(f"LISTEN {CHANNEL}")
            heard = True  # of what was committed before we listened, or while the server was away
            while not stop.is_set():
                if heard:
                    with suppress(RuntimeError):  # the loop has closed
                        loop.call_soon_threadsafe(self._notify)
                heard = any(True for _ in connection.notifies(timeout=FALLBACK_SECONDS, stop_after=1))
