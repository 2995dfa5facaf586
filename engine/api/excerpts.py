"""The first rows and addresses of a job, for its status answer; remembered until the job changes."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock

import pyarrow as pa

from engine.api.shapes import MAX_EMAILS, MAX_PARTIAL, Excerpt
from engine.api.tables import pieces, plain_schema
from engine.api.text import json_rows
from engine.durable.tables import Job
from engine.workbench import Workbench

_KEPT = 8


class Excerpts:
    """Reads at most as many chunks as an answer shows, and none twice for one revision of a job."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._known: OrderedDict[tuple[str, int], Excerpt] = OrderedDict()
        self._lock = Lock()

    def of(self, job: Job) -> Excerpt:
        """What the job's status shows of its rows."""
        key = (job.id, job.revision)
        with self._lock:
            if key in self._known:
                return self._known[key]
        found = self._read(job) if job.batches_done and job.type in self._workbench.types else Excerpt()
        with self._lock:
            self._known[key] = found
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    def _read(self, job: Job) -> Excerpt:
        results = self._workbench.results
        schema = plain_schema(results.schema(job, self._workbench.types[job.type]))
        rows: list[dict[str, object]] = []
        emails: list[str] = []
        for table in pieces(results.tables(job.id), schema):
            if len(rows) < MAX_PARTIAL:
                rows += json.loads(b"[" + json_rows(table.slice(0, MAX_PARTIAL - len(rows))) + b"]")
            emails += _addresses(table, MAX_EMAILS + 1 - len(emails)) if job.ended else []
            enough = len(emails) > MAX_EMAILS or not job.ended or "email" not in schema.names
            if enough and len(rows) >= MAX_PARTIAL:
                break
        return Excerpt(rows=rows, emails=emails[:MAX_EMAILS], truncated=len(emails) > MAX_EMAILS)


def _addresses(table: pa.Table, limit: int) -> list[str]:
    return list(_found(table, limit)) if "email" in table.column_names and limit > 0 else []


def _found(table: pa.Table, limit: int) -> Iterator[str]:
    """As text: a list may have numbers where addresses should be, and its column comes back as it was given."""
    yield from map(str, table.column("email").drop_null().slice(0, limit).to_pylist())
