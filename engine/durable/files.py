"""Files that belong to a job's parameters: stored once, read by whoever works on the job, copied when it runs again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, insert, literal, select

from engine.durable.contract import JobFileParam
from engine.durable.database import Database
from engine.durable.sending_tables import job_files


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a job."""

    name: str
    content_type: str
    payload: bytes


def store_files(connection: Connection, job_id: str, files: Sequence[JobFileParam]) -> None:
    """Keep the files of a new job, in the caller's transaction."""
    rows = [
        {"job_id": job_id, "number": n, "name": f.name, "content_type": f.content_type, "payload": f.data}
        for n, f in enumerate(files)
    ]
    if rows:
        connection.execute(insert(job_files), rows)


def copy_files(connection: Connection, other: str, job_id: str) -> None:
    """Give a job the files of another one."""
    c = job_files.c
    row = select(literal(job_id), c.number, c.name, c.content_type, c.payload).where(c.job_id == other)
    connection.execute(insert(job_files).from_select(["job_id", "number", "name", "content_type", "payload"], row))


def files_of(database: Database, job_id: str) -> tuple[StoredFile, ...]:
    """A job's files, in order."""
    query = select(job_files.c.name, job_files.c.content_type, job_files.c.payload)
    with database.read() as connection:
        rows = connection.execute(query.where(job_files.c.job_id == job_id).order_by(job_files.c.number)).all()
    return tuple(StoredFile(row.name, row.content_type, row.payload) for row in rows)


class Files(Protocol):
    """The files of jobs, as a door."""

    async def of(self, job_id: str) -> tuple[StoredFile, ...]:
        """A job's files, in order; none where it has none."""


class StoredFiles:
    """The files in the database; opened at first use. Those of the last few jobs are kept in memory."""

    MOST = 8

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._open = open_database
        self._opened: Database | None = None
        self._kept: dict[str, tuple[StoredFile, ...]] = {}
        self._lock = asyncio.Lock()

    async def of(self, job_id: str) -> tuple[StoredFile, ...]:
        """See Files."""
        async with self._lock:
            if job_id not in self._kept:
                self._kept[job_id] = await asyncio.to_thread(self._read, job_id)
                while len(self._kept) > self.MOST:
                    del self._kept[next(iter(self._kept))]
            return self._kept[job_id]

    def _read(self, job_id: str) -> tuple[StoredFile, ...]:
        if self._opened is None:
            self._opened = self._open()
        return files_of(self._opened, job_id)

    async def close(self) -> None:
        """Close the database."""
        if self._opened is not None:
            self._opened.close()


class FakeFiles:
    """The files in memory, for tests."""

    def __init__(self, files: Mapping[str, tuple[StoredFile, ...]] | None = None) -> None:
        self._files = dict(files or {})

    async def of(self, job_id: str) -> tuple[StoredFile, ...]:
        """See Files."""
        return self._files.get(job_id, ())
