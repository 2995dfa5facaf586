"""An engine: claims jobs, runs their batches, commits, and looks after the database. APScheduler drives the duties."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from engine.durable import engines, lease
from engine.durable.commit import Part
from engine.durable.committer import Committer
from engine.durable.contract import JobType
from engine.durable.database import Database
from engine.durable.dispatcher import Dispatcher
from engine.durable.executor import Executor
from engine.durable.housekeeping import Housekeeping
from engine.durable.run import JobRun, Loaded
from engine.durable.states import Status
from engine.durable.tables import Job
from engine.durable.vault import Vault
from engine.durable.watcher import Watcher
from engine.errors import InvalidInput, PostbenchError

T = TypeVar("T")
Duty = Callable[[], Awaitable[None]]
MAX_JOBS = 100
"""Jobs one engine holds at a time; parked ones do not count."""
CLAIM_AT_ONCE = 10
"""Jobs claimed in one go, so that several engines share a long queue."""
GRACE_SECONDS = 5.0
LOOK_SECONDS = 0.05
"""The least time between two looks at what changed."""
RESCUE_SECONDS = 1.0
IDLE_SECONDS = 30.0
"""How long an engine without a parent waits for work before it ends."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """How an engine runs; with `parent` it ends some time after that process."""

    concurrency: int
    retention_days: int
    version: str
    parent: int | None = None


class EngineService:
    """One engine on one database. `run` returns when `stop` was called and everything is given back.

    `further` are duties that the machinery knows nothing of, each with the seconds between two turns; the first comes at once.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        types: Mapping[str, JobType],
        executor: Executor,
        options: Options,
        further: Sequence[tuple[Duty, float]] = (),
    ) -> None:
        self._further = tuple(further)
        self._database, self._vault, self._types, self._executor, self._options = database, vault, types, executor, options
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._committer = Committer(database, self._write, self._committed, _now_ms)
        self._dispatcher = Dispatcher(executor, self._committer, options.concurrency, _now_ms)
        self._housekeeping = Housekeeping(database, options.retention_days)
        self._watcher = Watcher(database)
        self._stopping = asyncio.Event()
        self._loading: set[str] = set()
        self._parent_born = engines.process_born(options.parent) if options.parent else None
        self._idle_since = time.monotonic()
        self.id = ""

    def stop(self) -> None:
        """Ask the engine to finish what is in flight, give its jobs back and return."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped."""
        self.id = await self._write(engines.register, self._database, self._options.version)
        log.info("engine started", engine=self.id, version=self._options.version, types=list(self._types))
        await self._rescue()
        scheduler = self._scheduler()
        committing = asyncio.create_task(self._committer.loop(), name="committer")
        await self._watcher.start()
        scheduler.start()
        try:
            await self._watch(committing)
        finally:
            scheduler.shutdown(wait=False)
            await self._watcher.stop()
            await self._give_back(committing)

    def _scheduler(self) -> AsyncIOScheduler:
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        scheduler = AsyncIOScheduler(timezone="UTC", job_defaults=defaults)
        for duty, seconds in self._duties():
            scheduler.add_job(_guarded(duty), "interval", seconds=seconds, id=duty.__name__)
        for duty, seconds in self._further:
            now = datetime.now(UTC)
            scheduler.add_job(_guarded(duty), "interval", seconds=seconds, id=duty.__name__, next_run_time=now)
        scheduler.add_job(_guarded(self._tidy), id="first tidy")
        return scheduler

    def _duties(self) -> list[tuple[Duty, float]]:
        return [
            (self._heartbeat, lease.HEARTBEAT_SECONDS),
            (self._rescue, RESCUE_SECONDS),
            (self._pump, 1.0),
            (self._merge, 1.0),
            (self._check_disk, 5.0),
            (self._tidy, 600.0),
            (self._follow_parent, 1.0),
        ]

    async def _watch(self, committing: asyncio.Task[None]) -> None:
        """Look at what changed after every commit of anybody, until stopped."""
        stopped = asyncio.create_task(self._stopping.wait())
        while not self._stopping.is_set() and not committing.done():
            # Listen before looking: a commit that lands in between must not wait for the next one.
            change = asyncio.create_task(self._watcher.wait())
            await asyncio.sleep(0)
            await _guarded(self._look)()
            await asyncio.wait({change, stopped, committing}, return_when=asyncio.FIRST_COMPLETED)
            change.cancel()
        stopped.cancel()
        if committing.done():
            committing.result()

    async def _look(self) -> None:
        started = time.monotonic()
        await self._drop_lost()
        await self._claim()
        if self._dispatcher.runs or self._loading:
            self._idle_since = time.monotonic()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), max(0.0, LOOK_SECONDS - (time.monotonic() - started)))

    async def _drop_lost(self) -> None:
        """Let go of what the database says is not ours, and give back what is ours but was never begun."""
        runs = dict(self._dispatcher.runs)
        held = await asyncio.to_thread(lease.held, self._database, self.id)
        for run in runs.values():
            if held.get(run.id) != run.lease and not run.lost:
                log.info("job taken away", job=run.id)
                self._dispatcher.drop(run)
                self._dispatcher.pump()
        for job_id in held.keys() - runs.keys():
            await self._write(lease.crash, self._database, job_id, held[job_id], "its engine lost sight of it", self.id)

    async def _claim(self) -> None:
        if self._housekeeping.disk_short:
            return
        room = min(CLAIM_AT_ONCE, MAX_JOBS - len(self._dispatcher.runs) - len(self._loading))
        claimed = await self._write(lease.claim, self._database, self.id, list(self._types), room)
        for job in claimed:
            self._loading.add(job.id)
        for job in claimed:
            await self._load(job)

    async def _load(self, job: Job) -> None:
        job_type = self._types[job.type]
        try:
            loaded = await asyncio.to_thread(Loaded.of, self._database, self._vault, job_type, job)
        except InvalidInput as error:
            await self._refuse(job, f"Its parameters are not valid any more. {error}")
        except Exception as error:
            reason = str(error) if isinstance(error, PostbenchError) else type(error).__name__
            log.error("job cannot be begun", job=job.id, error=reason, exc_info=True)
            await self._write(lease.crash, self._database, job.id, job.lease, reason, self.id)
        else:
            log.info("job claimed", job=job.id, type=job.type, lease=job.lease, batches=len(loaded.todo))
            self._dispatcher.add(JobRun(job, job_type, loaded, self.id, asyncio.get_running_loop().time()))
        finally:
            self._loading.discard(job.id)

    async def _refuse(self, job: Job, reason: str) -> None:
        log.error("job cannot be run", job=job.id, reason=reason)
        await self._write(lease.fail, self._database, job.id, job.lease, reason, self.id)

    def _committed(self, run: JobRun, part: Part, held: bool) -> None:
        self._dispatcher.committed(run, part, held)
        if held and part.outcome == Status.COMPLETED and not part.extra.get("compacted"):
            self._housekeeping.merge_soon(run.id)

    async def _heartbeat(self) -> None:
        if not await self._write(lease.heartbeat, self._database, self.id, len(self._dispatcher.runs)):
            log.warning("forgotten while asleep, registering again", engine=self.id)
            await self._write(engines.register, self._database, self._options.version, self.id)

    async def _rescue(self) -> None:
        rescued = await self._write(lease.rescue, self._database, engines.is_dead, self.id)
        for engine, job_ids in rescued.items():
            log.warning("jobs rescued", engine=engine, jobs=job_ids)

    async def _pump(self) -> None:
        self._dispatcher.pump()

    async def _merge(self) -> None:
        await asyncio.to_thread(self._housekeeping.merge)

    async def _tidy(self) -> None:
        await asyncio.to_thread(self._housekeeping.tidy)

    async def _check_disk(self) -> None:
        reason = self._housekeeping.disk_warning()
        for run in list(self._dispatcher.runs.values()) if reason else ():
            run.end(Status.PAUSED, reason or "")
            self._committer.add(run)

    async def _follow_parent(self) -> None:
        """A child whose web process was killed works on, and ends once idle."""
        parent = self._options.parent
        orphan = parent is not None and (self._parent_born is None or engines.process_born(parent) != self._parent_born)
        if not orphan or time.monotonic() - self._idle_since <= IDLE_SECONDS:
            return
        if not await asyncio.to_thread(lease.work_left, self._database, list(self._types)):
            log.info("parent gone and idle", parent=parent)
            self.stop()

    async def _give_back(self, committing: asyncio.Task[None]) -> None:
        """Finish or abandon what is in flight, commit it, release the rest."""
        self._housekeeping.stop()
        await self._dispatcher.drain(GRACE_SECONDS)
        if not committing.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._committer.flushed(), GRACE_SECONDS)
            committing.cancel()
        jobs = await self._write(lease.release, self._database, self.id, "released: its engine was stopped")
        await self._write(engines.unregister, self._database, self.id)
        await self._executor.close()
        self._writer.shutdown()
        log.info("engine stopped", engine=self.id, released=len(jobs))

    async def _write(self, call: Callable[..., T], *args: object) -> T:
        """Every write of this engine goes through one thread, so that it never waits for itself."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, partial(call, *args))


def _guarded(duty: Duty) -> Duty:
    """A duty that logs what goes wrong and comes back at its next turn."""

    async def run() -> None:
        try:
            await duty()
        except Exception as error:
            log.error("duty failed", duty=duty.__name__, error=f"{type(error).__name__}: {error}", exc_info=True)

    return run


def _now_ms() -> int:
    return round(time.time() * 1000)
