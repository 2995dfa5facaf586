"""Reading results: columns, a page of rows, or everything chunk by chunk, filtered, while the job runs or after."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

import pyarrow as pa
from sqlalchemy import func, select

from engine.durable.chunks import Span, Stream, next_chunk, spans, stream_tables
from engine.durable.contract import JobType
from engine.durable.database import Database
from engine.durable.filters import Where
from engine.durable.schema import output_schema
from engine.durable.tables import Job, events
from engine.errors import NotFound

_CACHED_COUNTS = 100_000


@dataclass(frozen=True, slots=True)
class Page:
    """Rows `offset` to `offset + limit` of `total` that fit the filter."""

    table: pa.Table
    total: int


class Results:
    """The output streams of a database's jobs.

    Counts of filtered rows per chunk are remembered: chunks change only where the timeline says so (see `resolution`).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: OrderedDict[tuple[str, int, Span, Where], int] = OrderedDict()
        self._lock = Lock()

    def schema(self, job: Job, job_type: JobType) -> pa.Schema:
        """The columns of a job's result, known before the first row is."""
        first = next(stream_tables(self._database, job.id, "output"), None)
        if first is not None:
            return first.schema
        source = next(stream_tables(self._database, job.id, "input"), None)
        return output_schema(job_type.columns_of(job.params), source.schema if source and job_type.carries else None)

    def page(self, job_id: str, schema: pa.Schema, offset: int = 0, limit: int = 100, where: Where | None = None) -> Page:
        """A page of the committed rows, in item order."""
        where = where or Where()
        where.apply(schema.empty_table())
        found: list[pa.Table] = []
        position, missing = 0, limit
        edition = self._edition(job_id) if where.terms else 0
        for span in spans(self._database, job_id, "output"):
            count = self._count(job_id, edition, span, where)
            if missing and position + count > offset:
                rows = where.apply(self._chunk(job_id, span)).slice(max(0, offset - position), missing)
                found.append(rows)
                missing -= rows.num_rows
            position += count
        return Page(pa.concat_tables([schema.empty_table(), *found], promote_options="default"), position)

    def tables(self, job_id: str, where: Where | None = None, stream: Stream = "output") -> Iterator[pa.Table]:
        """All committed rows, one chunk in memory at a time."""
        keep = where or Where()
        return map(keep.apply, stream_tables(self._database, job_id, stream))

    def _chunk(self, job_id: str, span: Span) -> pa.Table:
        """The rows of a span, even if it was merged with its neighbours since it was looked up."""
        found = next_chunk(self._database, job_id, "output", span.number)
        if found is None:
            raise NotFound("The job was deleted meanwhile")
        return found[1].slice(0, span.rows)

    def _edition(self, job_id: str) -> int:
        """Another number after each change of rows: the last line of the job's timeline."""
        with self._database.read() as connection:
            return connection.execute(select(func.max(events.c.id)).where(events.c.job_id == job_id)).scalar() or 0

    def _count(self, job_id: str, edition: int, span: Span, where: Where) -> int:
        if not where.terms:
            return span.rows
        key = (job_id, edition, span, where)
        with self._lock:
            known = self._counts.get(key)
        if known is None:
            known = where.apply(self._chunk(job_id, span)).num_rows
            with self._lock:
                self._counts[key] = known
                if len(self._counts) > _CACHED_COUNTS:
                    self._counts.popitem(last=False)
        return known
