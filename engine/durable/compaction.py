"""Merging the small chunks of a completed job into large ones: fewer rows to seek, better compression, the same table."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from sqlalchemy import Connection, delete, select, update

from engine.durable.chunks import INSERT, Span, encode, parts_of, plain, raw_chunk, spans
from engine.durable.database import Database
from engine.durable.states import Status
from engine.durable.tables import chunks, jobs
from engine.errors import WrongState

TARGET_ROWS = 50_000


def unmerged(database: Database) -> list[str]:
    """Completed jobs whose chunks have not been merged yet."""
    query = select(jobs.c.id).where(jobs.c.status == Status.COMPLETED, jobs.c.compacted.is_(False))
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def compact(database: Database, job_id: str) -> int:
    """Merge a completed job's chunks, each large one in a transaction of its own; returns how many chunks are left.

    Safe to stop anywhere, to run twice, and to read through: a merged chunk says which rows came from which batch.
    """
    for group in groups(spans(database, job_id, "output")):
        payload = _merged(database, job_id, group)
        rows = sum(span.rows for span in group)
        if not database.transact(lambda connection, g=group, p=payload, r=rows: _replace(connection, job_id, g, p, r)):  # type: ignore[misc]
            return 0
    database.transact(lambda c: c.execute(update(jobs).where(jobs.c.id == job_id).values(compacted=True)))
    return len(spans(database, job_id, "output"))


def groups(found: list[Span]) -> Iterator[list[Span]]:
    """Neighbouring chunks that fit into one of `TARGET_ROWS` rows, two or more at a time."""
    group: list[Span] = []
    for span in found:
        if group and sum(s.rows for s in group) + span.rows > TARGET_ROWS:
            if len(group) > 1:
                yield group
            group = []
        group.append(span)
    if len(group) > 1:
        yield group


def _merged(database: Database, job_id: str, group: list[Span]) -> bytes:
    tables, parts = [], []
    for span in group:
        table = raw_chunk(database, job_id, "output", span.number)
        parts.extend(parts_of(table, span))
        tables.append(plain(table))
    return encode(pa.concat_tables(tables), parts)


def _replace(connection: Connection, job_id: str, group: list[Span], payload: bytes, rows: int) -> bool:
    """Put one chunk in the place of several; False when the job is not there any more."""
    touched = update(jobs).where(jobs.c.id == job_id, jobs.c.status == Status.COMPLETED).values(compacted=False)
    if connection.execute(touched).rowcount != 1:
        return False
    numbers = [span.number for span in group]
    gone = delete(chunks).where(chunks.c.job_id == job_id, chunks.c.stream == "output", chunks.c.number.in_(numbers))
    if connection.execute(gone).rowcount != len(group):
        raise WrongState("Another engine is merging this job's chunks")
    first, last = group[0].number, group[-1].last
    values = {"job_id": job_id, "stream": "output", "number": first, "last": last, "row_count": rows, "payload": payload}
    connection.execute(INSERT, values)
    return True
