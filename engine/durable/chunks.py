"""Chunks: rows as Arrow IPC streams with zstd, and reading them in order however they were merged meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
from sqlalchemy import and_, func, insert, select

from engine.durable.database import Database
from engine.durable.tables import chunks

Stream = Literal["input", "output"]
_PARTS = b"postbench.parts"
_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))


@dataclass(frozen=True, slots=True)
class Span:
    """Where a chunk stands: it holds the rows of batches `number` to `last`."""

    number: int
    last: int
    rows: int


def encode(table: pa.Table, parts: Sequence[tuple[int, int]] | None = None) -> bytes:
    """A table as a compressed Arrow IPC stream; `parts` says how many rows came from which batch, after a merge."""
    if parts is not None:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _PARTS: json.dumps(parts).encode()})
    table = table.unify_dictionaries().combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def decode(payload: bytes) -> pa.Table:
    """The table of a payload."""
    return pa.ipc.open_stream(payload).read_all()


def parts_of(table: pa.Table, span: Span) -> list[tuple[int, int]]:
    """(batch, rows) for every batch in a decoded chunk."""
    stored = (table.schema.metadata or {}).get(_PARTS)
    return [(n, rows) for n, rows in json.loads(stored)] if stored else [(span.number, table.num_rows)]


def plain(table: pa.Table) -> pa.Table:
    """The table without the notes of a merge."""
    metadata = {k: v for k, v in (table.schema.metadata or {}).items() if k != _PARTS}
    return table.replace_schema_metadata(metadata or None)


def spans(database: Database, job_id: str, stream: Stream) -> list[Span]:
    """The chunks of a stream in order, without their payloads."""
    query = select(chunks.c.number, chunks.c.last, chunks.c.row_count)
    query = query.where(chunks.c.job_id == job_id, chunks.c.stream == stream).order_by(chunks.c.number)
    with database.read() as connection:
        return [Span(*row) for row in connection.execute(query)]


def next_chunk(database: Database, job_id: str, stream: Stream, batch: int) -> tuple[Span, pa.Table] | None:
    """The first chunk that holds rows of batch `batch` or later, without the rows of earlier batches; None at the end."""
    mine = and_(chunks.c.job_id == job_id, chunks.c.stream == stream)
    # Start at the last chunk that begins at or before `batch`: a seek in the key instead of a walk over all earlier ones.
    before = select(func.max(chunks.c.number)).where(mine, chunks.c.number <= batch).scalar_subquery()
    query = select(chunks.c.number, chunks.c.last, chunks.c.row_count, chunks.c.payload)
    query = query.where(mine, chunks.c.number >= func.coalesce(before, batch), chunks.c.last >= batch)
    with database.read() as connection:
        row = connection.execute(query.order_by(chunks.c.number).limit(1)).first()
    if row is None:
        return None
    span, table = Span(*row[:3]), decode(row[3])
    earlier = sum(rows for number, rows in parts_of(table, span) if number < batch)
    return span, plain(table.slice(earlier))


def raw_chunk(database: Database, job_id: str, stream: Stream, span: Span) -> pa.Table | None:
    """One chunk as it is stored, with the notes of a merge; None when it is not there (any more) as it was."""
    query = select(chunks.c.payload).where(chunks.c.job_id == job_id, chunks.c.stream == stream)
    with database.read() as connection:
        payload = connection.execute(query.where(chunks.c.number == span.number, chunks.c.last == span.last)).scalar()
    return None if payload is None else decode(payload)


def stream_tables(database: Database, job_id: str, stream: Stream, start: int = 0) -> Iterator[pa.Table]:
    """Every chunk of a stream from batch `start` on, one at a time in memory; sound while chunks are added or merged."""
    batch = start
    while (found := next_chunk(database, job_id, stream, batch)) is not None:
        span, table = found
        yield table
        batch = span.last + 1


INSERT = insert(chunks)
