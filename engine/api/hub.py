"""One hub per process behind all event streams: it looks once per commit at all watched jobs and tells everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog
from sqlalchemy import select

from engine.api.shapes import figures
from engine.durable.database import Database
from engine.durable.queries import get, revisions
from engine.durable.tables import Job, jobs
from engine.durable.watcher import Watcher

TICK_SECONDS = 0.05
"""The shortest time between two looks, however often something is committed."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job at one revision, with its figures already as JSON; `gone` once it was deleted."""

    job_id: str
    revision: int
    status: str
    ended: bool
    progress: float
    metadata: str
    error_message: str | None
    gone: bool = False

    @classmethod
    def of(cls, job: Job) -> Snapshot:
        """The snapshot of a job row."""
        shown = figures(job).model_dump_json(by_alias=True)
        return cls(job.id, job.revision, job.status, job.ended, job.progress, shown, job.error_message)


@dataclass(eq=False, slots=True)
class Topic:
    """A watched job: its latest snapshot, an event that fires at the next one, and how many streams watch."""

    snapshot: Snapshot
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    watchers: int = 0

    def publish(self, snapshot: Snapshot) -> None:
        """Replace the snapshot and wake everybody who waits for it."""
        self.snapshot = snapshot
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Hub:
    """The watched jobs. `stopping` is set when the process is asked to end: every stream then ends."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watcher = Watcher(database)
        self._topics: dict[str, Topic] = {}
        self._busy = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.stopping = asyncio.Event()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(topic.watchers for topic in self._topics.values())

    async def start(self) -> None:
        """Begin to watch."""
        await self._watcher.start()
        self._task = asyncio.create_task(self._run(), name="hub")

    async def stop(self) -> None:
        """End every stream and stop watching."""
        self.end_streams()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._watcher.stop()

    def end_streams(self) -> None:
        """Have every stream end now; a client comes back to the next process with its `Last-Event-ID`."""
        self.stopping.set()
        for topic in self._topics.values():
            topic.publish(topic.snapshot)

    @asynccontextmanager
    async def watch(self, job_id: str) -> AsyncIterator[Topic]:
        """The topic of a job, as of now, for as long as the block lasts.

        Raises:
            NotFound: there is no such job.
        """
        job = await asyncio.to_thread(get, self._database, job_id)
        topic = self._topics.setdefault(job_id, Topic(Snapshot.of(job)))
        topic.watchers += 1
        if job.revision > topic.snapshot.revision:
            topic.publish(Snapshot.of(job))
        self._busy.set()
        try:
            yield topic
        finally:
            topic.watchers -= 1
            if not topic.watchers and self._topics.get(job_id) is topic:
                del self._topics[job_id]

    async def _run(self) -> None:
        while True:
            await self._busy.wait()
            # Listen before looking: a commit that lands in between must not wait for the next one.
            commit = asyncio.create_task(self._watcher.wait())
            try:
                await asyncio.sleep(0)
                await self._look()
                await asyncio.sleep(TICK_SECONDS)
                await commit
            finally:
                commit.cancel()
            if not self._topics:
                self._busy.clear()

    async def _look(self) -> None:
        seen = {job_id: topic.snapshot.revision for job_id, topic in self._topics.items() if not topic.snapshot.gone}
        if not seen:
            return
        try:
            found, changed = await asyncio.to_thread(_read, self._database, seen)
        except Exception as error:  # the database is away: the next look finds what was missed
            log.warning("cannot look at jobs", error=type(error).__name__)
            return
        for job in changed:
            if (topic := self._topics.get(job.id)) is not None:
                topic.publish(Snapshot.of(job))
        for job_id in seen.keys() - found:
            if (topic := self._topics.get(job_id)) is not None:
                topic.publish(_gone(topic.snapshot))


def _read(database: Database, seen: dict[str, int]) -> tuple[set[str], Sequence[Job]]:
    """Which of these jobs exist, and the rows of those that have moved on."""
    now = revisions(database, list(seen))
    moved = [job_id for job_id, revision in now.items() if revision != seen[job_id]]
    if not moved:
        return set(now), []
    with database.session() as session:
        return set(now), session.scalars(select(Job).where(jobs.c.id.in_(moved))).all()


def _gone(last: Snapshot) -> Snapshot:
    status = last.status if last.ended else "cancelled"
    return Snapshot(last.job_id, last.revision + 1, status, True, last.progress, last.metadata, "The job was deleted", gone=True)
