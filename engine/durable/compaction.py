"""Merging the small chunks of a completed job into large ones: fewer rows to seek, better compression, the same table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
from sqlalchemy import Connection, and_, delete, select, update

from engine.durable.chunks import INSERT, Span, encode, parts_of, plain, raw_chunk, spans
from engine.durable.database import Database
from engine.durable.queries import revisions
from engine.durable.states import Status
from engine.durable.tables import chunks, jobs
from engine.errors import WrongState

TARGET_ROWS = 50_000
_BUSY = "Another engine is merging this job's chunks"
_CHANGED = "Rows of this job were changed meanwhile"


def unmerged(database: Database) -> list[str]:
    """Completed jobs whose chunks have not been merged yet."""
    query = select(jobs.c.id).where(jobs.c.status == Status.COMPLETED, jobs.c.compacted.is_(False))
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def compact(database: Database, job_id: str, stopping: Callable[[], bool] = lambda: False) -> int:
    """Merge a completed job's chunks, each large one in a transaction of its own; returns how many chunks are left.

    Safe to stop anywhere (as `stopping` may ask between two), to run twice, and to read through: a merged chunk says which
    rows came from which batch.

    Raises:
        WrongState: another engine is merging them, or somebody has changed rows; it is done at another time.
    """
    for group in groups(spans(database, job_id, "output")):
        if stopping():
            return len(spans(database, job_id, "output"))
        revision = revisions(database, [job_id]).get(job_id)  # before the rows are read: it says whether they stayed as they were
        payload = _merged(database, job_id, group)
        if payload is None:
            return 0
        rows = sum(span.rows for span in group)
        if not database.transact(lambda c, g=group, p=payload, r=rows, v=revision: _replace(c, job_id, g, p, r, v)):  # type: ignore[misc]
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


def _merged(database: Database, job_id: str, group: list[Span]) -> bytes | None:
    """The group in one piece; None when the job is not there any more."""
    tables, parts = [], []
    for span in group:
        table = raw_chunk(database, job_id, "output", span)
        if table is None:
            if spans(database, job_id, "output"):
                raise WrongState(_BUSY)
            return None
        parts.extend(parts_of(table, span))
        tables.append(plain(table))
    return encode(pa.concat_tables(tables), parts)


def _replace(connection: Connection, job_id: str, group: list[Span], payload: bytes, rows: int, revision: int | None) -> bool:
    """Put one chunk in the place of several; False when the job is not there any more."""
    touched = update(jobs).where(jobs.c.id == job_id, jobs.c.status == Status.COMPLETED).values(compacted=False)
    if connection.execute(touched).rowcount != 1:
        return False
    if connection.execute(select(jobs.c.revision).where(jobs.c.id == job_id)).scalar() != revision:
        raise WrongState(_CHANGED)
    numbers = [span.number for span in group]
    mine = and_(chunks.c.job_id == job_id, chunks.c.stream == "output", chunks.c.number.in_(numbers))
    there = connection.execute(select(chunks.c.number, chunks.c.last, chunks.c.row_count).where(mine).order_by(chunks.c.number))
    if [Span(*row) for row in there] != group:
        raise WrongState(_BUSY)
    connection.execute(delete(chunks).where(mine))
    first, last = group[0].number, group[-1].last
    values = {"job_id": job_id, "stream": "output", "number": first, "last": last, "row_count": rows, "payload": payload}
    connection.execute(INSERT, values)
    return True
