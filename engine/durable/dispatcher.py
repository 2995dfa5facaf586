"""Runs the batches of all jobs in hand: fairly, one batch of each in turn, within the engine's concurrency."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from traceback import format_exception

import structlog

from engine.durable.commit import Part
from engine.durable.committer import Committer
from engine.durable.contract import Json, Snooze
from engine.durable.database import is_away
from engine.durable.executor import Executor
from engine.durable.run import JobRun, encoded
from engine.durable.states import Status
from engine.errors import Held

ATTEMPTS = 3
RETRY_SECONDS = 0.5
OVERLAP = 4
"""Batches of a paced job that may be in flight however large they are: one waits for answers while another is written."""
MAX_MESSAGE = 300
log = structlog.get_logger()


class Dispatcher:
    """Holds the runs and starts batches whenever there is room.

    Batches of network types share `concurrency` items in flight, CPU-bound ones share the cores. Every run may always
    have one batch in flight, so that a small job never waits behind a large one.
    """

    def __init__(self, executor: Executor, committer: Committer, concurrency: int, now_ms: Callable[[], int]) -> None:
        self._executor, self._committer, self._concurrency, self._now_ms = executor, committer, concurrency, now_ms
        self._runs: dict[str, JobRun] = {}
        self._cores = (os.cpu_count() or 1) + 1
        self.closed = False

    @property
    def runs(self) -> Mapping[str, JobRun]:
        """The jobs in hand, by id; the next to be served first."""
        return self._runs

    def add(self, run: JobRun) -> None:
        """Take a claimed job in hand; an earlier lease of ours on it, paused and resumed meanwhile, is over."""
        if (old := self._runs.get(run.id)) is not None:
            self.drop(old)
        self._runs[run.id] = run
        if run.settled:
            self._committer.add(run)
        self.pump()

    def drop(self, run: JobRun) -> None:
        """Let go of a job that is no longer ours: stop its batches, forget what they made."""
        run.lost = True
        if self._runs.get(run.id) is run:
            del self._runs[run.id]
        for task in run.in_flight.values():
            task.cancel()

    def pump(self) -> None:
        """Start as many batches as there is room for, each run in turn."""
        busy = dict.fromkeys((True, False), 0)
        for run in self._runs.values():
            busy[run.type.cpu_bound] += len(run.in_flight) * self._weight(run)
        started = True
        while started and not self.closed and not self._committer.full:
            started = False
            for run in list(self._runs.values()):
                if run.ready(self._now_ms()) and self._room(run, busy[run.type.cpu_bound]):
                    self._start(run)
                    busy[run.type.cpu_bound] += self._weight(run)
                    started = True

    async def drain(self, seconds: float) -> None:
        """Start nothing more; give what is in flight some time to finish, then abandon it."""
        self.closed = True
        tasks = [task for run in self._runs.values() for task in run.in_flight.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()

    def _room(self, run: JobRun, busy: int) -> bool:
        limit = self._cores if run.type.cpu_bound else self._concurrency
        return not run.in_flight or busy + self._weight(run) <= limit

    def _weight(self, run: JobRun) -> int:
        """What one batch takes of its kind's room: a core, or as many items as it has; less where the doors keep count."""
        if run.type.cpu_bound:
            return 1
        batch = run.loaded.plan.batch
        return min(batch, max(1, self._concurrency // OVERLAP)) if run.type.paced else batch

    def _start(self, run: JobRun) -> None:
        number = run.take(self._now_ms())
        if number is not None:
            self._runs[run.id] = self._runs.pop(run.id)  # to the end of the queue
            task = asyncio.create_task(self._work(run, number), name=f"{run.id}/{number}")
            run.in_flight[number] = task
            task.add_done_callback(lambda _: self._ended(run, number))

    def _ended(self, run: JobRun, number: int) -> None:
        run.in_flight.pop(number, None)
        if not run.lost:
            self._committer.add(run)
        self.pump()

    async def _work(self, run: JobRun, number: int) -> None:
        """One batch to its outcome; an exception of the job type is tried again before it fails the job.

        A database that is away is nobody's fault and is waited for, as commits are.
        """
        attempt = 0
        while True:
            try:
                return await self._once(run, number)
            except Held as held:
                return run.end(Status.PAUSED, _said_plainly(held, run))
            except Exception as error:
                attempt += not is_away(error)
                where = log.bind(job=run.id, batch=number, attempt=attempt)
                trace = {"trace": _redacted("".join(format_exception(error)), run)} if attempt == ATTEMPTS else {}
                where.warning("batch raised", error=_said(error, run), **trace)
                if attempt == ATTEMPTS:
                    return run.end(Status.FAILED, f"Batch {number} failed {ATTEMPTS} times: {_said(error, run)}")
            await asyncio.sleep(RETRY_SECONDS * max(1, attempt))

    async def _once(self, run: JobRun, number: int) -> None:
        async def save(state: Json) -> None:
            await run.save(number, state, self._committer.add)

        batch = await asyncio.to_thread(run.batch, number) if run.loaded.reader.rows else run.batch(number)
        try:
            outcome = await self._executor.run(run.type, batch, run.loaded.params, run.loaded.secrets, save)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise RuntimeError("the batch cancelled itself") from None  # or the job would wait for it for ever
        if isinstance(outcome, Snooze):
            run.park(number, outcome)
        else:
            rows, payload = await asyncio.to_thread(encoded, run, number, outcome)
            run.finish(number, outcome, rows, payload)

    def committed(self, run: JobRun, part: Part, held: bool) -> None:
        """What the committer says after each transaction."""
        if not held:
            log.info("lease lost", job=run.id)
            self.drop(run)
        elif part.outcome or part.wake_at is not None:
            log.info("job released", job=run.id, status=part.outcome or "parked", reason=part.reason)
            self.drop(run)
        self.pump()


def _said(error: Exception, run: JobRun) -> str:
    """An exception in a sentence, without the job's secrets."""
    return _redacted(f"{type(error).__name__}: {error}", run)[:MAX_MESSAGE]


def _said_plainly(reason: Held, run: JobRun) -> str:
    return _redacted(str(reason), run)[:MAX_MESSAGE]


def _redacted(text: str, run: JobRun) -> str:
    """The text without the job's secrets, and without what no database column can hold."""
    for secret in filter(None, run.loaded.secrets.values()):
        text = text.replace(secret, "***")
    return text.replace("\0", "").encode(errors="replace").decode()
