"""The reader: pages and sitemaps read in processes of their own, within limits, so that no document harms the engine."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from pydantic import TypeAdapter

from engine.mail.page.model import Page
from engine.net.reader_process import read
from engine.net.reader_wire import LENGTHS, LONGEST, READY, Order, Sitemap

__all__ = ["FakeReader", "Order", "PageReader", "Reader", "Sitemap", "Unreadable"]

SECONDS = 20.0
"""Seconds that a document may take."""
START_SECONDS = 60.0
"""Seconds that a process may take to begin, on a busy machine."""
MEMORY = 1 << 30
"""Bytes of address space that a process may have."""
IDLE_SECONDS = 20.0
"""Seconds after which a process that has nothing to do ends."""
DOCUMENTS = 2_000
"""Read by one process; a fresh one then takes its place, so that nothing can pile up."""
ROOM = 64 << 20
"""Bytes of documents that may wait."""
_ROOT = str(Path(__file__).resolve().parents[2])
_BEGIN = (
    "import sys; sys.path.insert(0, sys.argv[1]); from engine.net.reader_process import main; sys.exit(main(int(sys.argv[2])))"
)
_PAGE: TypeAdapter[Page] = TypeAdapter(Page)
_SITEMAP: TypeAdapter[Sitemap] = TypeAdapter(Sitemap)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a document could not be read, in a sentence."""

    reason: str


class Reader(Protocol):
    """Reads documents of strangers; no method raises for what is in them."""

    async def page(self, order: Order) -> Page | Unreadable:
        """A page of HTML or text; see `engine.mail.page.read_page`."""

    async def sitemap(self, order: Order) -> Sitemap | Unreadable:
        """A sitemap; see `engine.mail.page.read_sitemap`."""

    async def room(self) -> None:
        """Return once so little waits that more may be fetched."""


class PageReader:
    """Reads in at most `workers` processes (0 = one per core), each document for at most `seconds`.

    The processes start when they are needed, in an environment without variables, within limits where the system has them:
    `memory` bytes of address space, seconds of a core, no files. They end after `idle` seconds. A document whose process dies or
    hangs is unreadable, and another process takes its place. What they answer is checked, as they may have been taken over. One
    event loop at a time; `close` before another one.
    """

    def __init__(self, *, workers: int = 0, seconds: float = SECONDS, idle: float = IDLE_SECONDS, memory: int = MEMORY) -> None:
        self._most, self._seconds, self._idle_seconds, self._memory = workers or _cores(), seconds, idle, memory
        self._idle: list[tuple[float, _Worker]] = []  # the one used last is at the end
        self._busy: set[_Worker] = set()
        self._seats: asyncio.Semaphore | None = None
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of the processes there are."""
        return tuple(worker.process.pid for worker in (*self._busy, *(worker for _, worker in self._idle)))

    async def page(self, order: Order) -> Page | Unreadable:
        """See Reader."""
        return await self._read(order, _PAGE.validate_json)

    async def sitemap(self, order: Order) -> Sitemap | Unreadable:
        """See Reader."""
        return await self._read(order, _SITEMAP.validate_json)

    async def room(self) -> None:
        """See Reader."""
        await self._roomy.wait()

    async def close(self) -> None:
        """End all processes; documents being read become unreadable. The reader may be used again afterwards."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        workers = [*self._busy, *(worker for _, worker in self._idle)]
        self._idle, self._busy, self._seats = [], set(), None
        await asyncio.gather(*(worker.end() for worker in workers), *self._ending)

    async def _read(self, order: Order, parsed: Callable[[bytes], T]) -> T | Unreadable:
        self._seats = self._seats or asyncio.Semaphore(self._most)
        self._weigh(len(order.body))
        try:
            async with self._seats:
                answer = await self._answer(order)
        finally:
            self._weigh(-len(order.body))
        if isinstance(answer, Unreadable):
            return answer
        try:
            return parsed(answer)
        except ValueError:
            return Unreadable("the page could not be read: its reader gave no answer that can be understood")

    def _weigh(self, size: int) -> None:
        self._waiting += size
        if self._waiting > ROOM:
            self._roomy.clear()
        else:
            self._roomy.set()

    async def _answer(self, order: Order) -> bytes | Unreadable:
        """The answer of one worker, which is busy meanwhile and gone if it fails."""
        worker: _Worker | None = None
        try:
            worker = await self._worker()
            async with asyncio.timeout(self._seconds):
                answer = await worker.ask(order)
        except TimeoutError:
            return Unreadable(f"the page could not be read within {self._seconds:g} seconds")
        except (OSError, EOFError):
            return Unreadable("the page could not be read: it was too much for its reader")
        else:
            if worker.documents < DOCUMENTS:
                self._rest(worker)
                worker = None
            return answer
        finally:
            if worker is not None:
                self._busy.discard(worker)
                self._end(worker)

    async def _worker(self) -> _Worker:
        """One that is free: the one used last, or a new one.

        Raises:
            OSError, EOFError, TimeoutError: none can be started.
        """
        while self._idle:
            worker = self._idle.pop()[1]
            if worker.process.returncode is None:
                self._busy.add(worker)
                return worker
            self._end(worker)
        worker = await _Worker.start(self._memory)
        self._busy.add(worker)
        return worker

    def _rest(self, worker: _Worker) -> None:
        if worker not in self._busy:  # closed meanwhile
            return
        self._busy.discard(worker)
        loop = asyncio.get_running_loop()
        self._idle.append((loop.time(), worker))
        if self._timer is None:
            self._timer = loop.call_later(self._idle_seconds, self._sweep)

    def _sweep(self) -> None:
        """End those that had nothing to do for long; runs while there are idle ones."""
        loop = asyncio.get_running_loop()
        until = loop.time() - self._idle_seconds
        for _, worker in [entry for entry in self._idle if entry[0] <= until]:
            self._end(worker)
        self._idle = [entry for entry in self._idle if entry[0] > until]
        self._timer = loop.call_later(self._idle_seconds, self._sweep) if self._idle else None

    def _end(self, worker: _Worker) -> None:
        task = asyncio.get_running_loop().create_task(worker.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class _Worker:
    """One process."""

    def __init__(self, process: Process) -> None:
        self.process, self.documents = process, 0

    @classmethod
    async def start(cls, memory: int) -> _Worker:
        """A process that is ready.

        Raises:
            OSError, EOFError, TimeoutError: it did not come up.
        """
        command = [sys.executable, "-P", "-c", _BEGIN, _ROOT, str(memory)]
        worker = cls(
            await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, limit=1 << 20)
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                if await worker._next() != READY:
                    raise EOFError
        except BaseException:
            await worker.end()
            raise
        return worker

    async def ask(self, order: Order) -> bytes:
        """What it answers.

        Raises:
            OSError, EOFError: it died.
        """
        stdin = self.process.stdin
        assert stdin is not None
        self.documents += 1
        stdin.writelines(order.packed())
        await stdin.drain()
        return await self._next()

    async def _next(self) -> bytes:
        assert self.process.stdout is not None
        size, _ = LENGTHS.unpack(await self.process.stdout.readexactly(LENGTHS.size))
        if size > LONGEST:
            raise EOFError
        return await self.process.stdout.readexactly(size)

    async def end(self) -> None:
        """Kill it and let go of its pipes."""
        with suppress(ProcessLookupError):
            self.process.kill()
        with suppress(OSError):
            await self.process.communicate()


def _cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class FakeReader:
    """A reader in this very process; URLs among `unreadable` cannot be read."""

    def __init__(self, unreadable: frozenset[str] = frozenset()) -> None:
        self._unreadable = unreadable

    async def page(self, order: Order) -> Page | Unreadable:
        """See Reader."""
        found = self._read(order)
        assert not isinstance(found, Sitemap)
        return found

    async def sitemap(self, order: Order) -> Sitemap | Unreadable:
        """See Reader."""
        found = self._read(order)
        assert not isinstance(found, Page)
        return found

    async def room(self) -> None:
        """There is always room."""

    def _read(self, order: Order) -> Page | Sitemap | Unreadable:
        return Unreadable("the page could not be read") if order.url in self._unreadable else read(order)
