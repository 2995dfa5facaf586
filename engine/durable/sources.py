"""A job's input: an uploaded list or another job's rows, copied at submit so that nothing can change it later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Connection, func, insert, literal, select

from engine.durable.chunks import INSERT, Span, decode, encode, plain, spans, stream_tables
from engine.durable.contract import Batch, Plan, Source
from engine.durable.database import Database
from engine.durable.filters import Where
from engine.durable.states import Status
from engine.durable.tables import chunks, jobs
from engine.errors import InvalidInput, WrongState

INPUT_ROWS = 50_000
"""Rows per input chunk."""
HEAD_ROWS = 1000
"""First rows that a job type may look at when a job is submitted."""


@dataclass(frozen=True, slots=True)
class Input:
    """Input ready to be stored: encoded pieces of (rows, payload), or a job whose output is copied as it is."""

    source: Source
    pieces: tuple[tuple[int, bytes], ...] = ()
    copy_of: str | None = None

    @classmethod
    def of_tables(cls, tables: Iterator[pa.Table], lender: str | None = None) -> Input:
        """Encode tables of one schema, at most `INPUT_ROWS` rows a piece; `lender` is the type of the job they come from."""
        pieces: list[tuple[int, bytes]] = []
        head: pa.Table | None = None
        for table in tables:
            head = table.slice(0, HEAD_ROWS) if head is None else head
            starts = range(0, table.num_rows, INPUT_ROWS)
            pieces.extend((min(INPUT_ROWS, table.num_rows - s), encode(table.slice(s, INPUT_ROWS))) for s in starts)
        if not pieces or head is None:
            raise InvalidInput.of("input", "has no rows; give at least one")
        return cls(Source(sum(rows for rows, _ in pieces), head.schema, head, lender), tuple(pieces))

    def tables(self, database: Database) -> Iterator[pa.Table]:
        """All rows, before they are stored."""
        if self.copy_of:
            yield from map(plain, stream_tables(database, self.copy_of, "output"))
        for _, payload in self.pieces:
            yield decode(payload)

    def write(self, connection: Connection, job_id: str) -> None:
        """Store the input stream in the caller's transaction."""
        if self.copy_of:
            self._copy(connection, job_id, self.copy_of)
        for number, (rows, payload) in enumerate(self.pieces):
            values = {"job_id": job_id, "stream": "input", "number": number, "last": number}
            connection.execute(INSERT, {**values, "row_count": rows, "payload": payload})

    def _copy(self, connection: Connection, job_id: str, other: str) -> None:
        copy_stream(connection, other, "output", job_id)
        total = select(func.sum(chunks.c.row_count)).where(chunks.c.job_id == job_id, chunks.c.stream == "input")
        if connection.execute(total).scalar() != self.source.rows:
            raise WrongState("The source job was deleted or changed meanwhile; submit again")


def from_job(database: Database, job_id: str, where: str | None) -> Input:
    """Another job's rows as input. A completed job's are copied as they are; else those committed so far.

    Raises:
        InvalidInput: there is no such job, it has not ended, or no row of it fits the filter.
    """
    with database.read() as connection:
        found = connection.execute(select(jobs.c.status, jobs.c.type).where(jobs.c.id == job_id)).first()
    if found is None:
        raise InvalidInput.of("fromJob", "there is no job with this id")
    status, lender = found
    if status not in (Status.COMPLETED, Status.FAILED, Status.CANCELLED):
        raise InvalidInput.of("fromJob", "that job has not ended; wait for it or cancel it")
    if where or status != Status.COMPLETED:
        keep = Where.parse(where)
        tables = map(keep.apply, stream_tables(database, job_id, "output"))
        return Input.of_tables((table for table in tables if table.num_rows), lender)
    rows = sum(span.rows for span in spans(database, job_id, "output"))
    first = next(stream_tables(database, job_id, "output"), None)
    if not rows or first is None:
        raise InvalidInput.of("fromJob", "that job has no rows")
    return Input(Source(rows, first.schema, first.slice(0, HEAD_ROWS), lender), copy_of=job_id)


def copy_stream(connection: Connection, other: str, stream: str, job_id: str) -> None:
    """Copy a stream of one job as the input of another, without decoding it."""
    c = chunks.c
    row = select(literal(job_id), literal("input"), c.number, c.last, c.row_count, c.payload)
    copied = row.where(c.job_id == other, c.stream == stream)
    connection.execute(insert(chunks).from_select(["job_id", "stream", "number", "last", "row_count", "payload"], copied))


class InputReader:
    """Gives each batch its input rows; keeps the last decoded chunk, as neighbours usually share it."""

    def __init__(self, database: Database, job_id: str) -> None:
        self._database, self._job_id = database, job_id
        self._spans = spans(database, job_id, "input")
        self._cached: tuple[int, pa.Table] | None = None

    @property
    def rows(self) -> int:
        """How many input rows there are; 0 for a job without input."""
        return sum(span.rows for span in self._spans)

    @property
    def source(self) -> Source | None:
        """What there is to read; None for a job without input."""
        if not self._spans:
            return None
        return Source(self.rows, self._table(self._spans[0]).schema)

    def batch(self, plan: Plan, number: int, state: object) -> Batch:
        """A batch of the plan with its rows."""
        start, stop = plan.span(number)
        rows = self._rows(start, stop) if self._spans else None
        return Batch(number, start, stop, plan.items, rows, state)

    def _rows(self, start: int, stop: int) -> pa.Table:
        found, offset = [], 0
        for span in self._spans:
            low, high = max(start, offset), min(stop, offset + span.rows)
            if low < high:
                found.append(self._table(span).slice(low - offset, high - low))
            offset += span.rows
        return pa.concat_tables(found)

    def _table(self, span: Span) -> pa.Table:
        cached = self._cached
        if cached is None or cached[0] != span.number:
            query = select(chunks.c.payload).where(
                chunks.c.job_id == self._job_id, chunks.c.stream == "input", chunks.c.number == span.number
            )
            with self._database.read() as connection:
                cached = span.number, plain(decode(connection.execute(query).scalar_one()))
            self._cached = cached
        return cached[1]
