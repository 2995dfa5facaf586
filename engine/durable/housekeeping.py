"""What keeps the database small and safe: merging chunks, retention, forgetting old engines, watching the disk."""

from __future__ import annotations

from collections import deque
from threading import Event

import structlog

from engine.durable import control, engines
from engine.durable.compaction import compact, unmerged
from engine.durable.database import Database
from engine.durable.space import free_bytes, shrink
from engine.errors import WrongState

MIN_FREE_BYTES = 200 * 1024 * 1024
log = structlog.get_logger()


class Housekeeping:
    """The duties of an engine that belong to no job. Every call may be slow: run it in a thread."""

    def __init__(self, database: Database, retention_days: int) -> None:
        self._database, self._retention_days = database, retention_days
        self._unmerged: deque[str] = deque()
        self._stopping = Event()
        self.disk_short = False

    def stop(self) -> None:
        """Come to an end soon: a long merge stops after the chunk it is at, and another engine goes on with it."""
        self._stopping.set()

    def merge_soon(self, job_id: str) -> None:
        """This job has completed with many small chunks."""
        self._unmerged.append(job_id)

    def merge(self) -> None:
        """Merge the chunks of the jobs that have completed since the last call."""
        while self._unmerged and not self._stopping.is_set():
            job_id = self._unmerged.popleft()
            try:
                left = compact(self._database, job_id, self._stopping.is_set)
            except WrongState as error:
                log.info("merge left to another engine", job=job_id, reason=str(error))
            else:
                log.info("chunks merged", job=job_id, chunks=left)

    def tidy(self) -> None:
        """Merge what an engine that died has left, delete jobs beyond the retention, forget old engines and throughput."""
        known = set(self._unmerged.copy())  # in one step: a merge in another thread may be taking from it
        self._unmerged.extend(job_id for job_id in unmerged(self._database) if job_id not in known)
        if self._retention_days:
            deleted = control.cleanup(self._database, self._retention_days)
            if deleted:
                log.info("old jobs deleted", jobs=deleted, older_than_days=self._retention_days)
        engines.prune(self._database)
        control.prune_throughput(self._database)
        shrink(self._database, self._stopping.is_set)

    def disk_warning(self) -> str | None:
        """Why work should stop for now; None when there is room on the disk or in the file."""
        free = free_bytes(self._database)
        self.disk_short = free is not None and free < MIN_FREE_BYTES
        if free is None or not self.disk_short:
            return None
        return f"The disk is nearly full ({free // 2**20} MiB left, {MIN_FREE_BYTES // 2**20} MiB needed); make room, then resume"
