"""The outbox kept small: messages of jobs that are gone go, too, once they are as old as jobs get."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import select

from engine.durable.database import Database
from engine.durable.tables import jobs
from engine.net import outbox

DAY = 86_400.0
SECONDS = 3_600.0
"""Between two looks."""
_AT_ONCE = 500
log = structlog.get_logger()


class Tidying:
    """Deletes from the outbox what belongs to no job of this database and is older than `days`.

    The age keeps what is there safe from a database that was set wrong for an hour.
    """

    def __init__(self, folder: Path, database: Database, days: int, now: Callable[[], float] = time.time) -> None:
        self._folder, self._database, self._days, self._now = folder, database, days, now

    async def tidy_outbox(self) -> None:
        """Look once."""
        await asyncio.to_thread(self._tidy)

    def _tidy(self) -> None:
        old = outbox.left_alone(self._folder, self._now() - self._days * DAY)
        for start in range(0, len(old), _AT_ONCE):
            some = old[start : start + _AT_ONCE]
            with self._database.read() as connection:
                known = set(connection.execute(select(jobs.c.id).where(jobs.c.id.in_(some))).scalars())
            for job_id in set(some) - known:
                outbox.discard(self._folder, job_id)
                log.info("outbox of a deleted job emptied", job=job_id)
