"""Results of a job: pages of rows, and downloads that stream however many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query
from starlette.responses import Response

from engine.api.context import Bench
from engine.api.exports import Format, add_downloads, attachment
from engine.api.shapes import Answer, Wire
from engine.api.tables import pieces, plain_schema, type_name
from engine.api.text import json_rows
from engine.durable.clock import from_ms
from engine.durable.filters import Where
from engine.durable.queries import get
from engine.durable.tables import Job
from engine.workbench import Workbench

MAX_PAGE = 10_000
# `identity` keeps Streamlit's gzip away: it costs more time than it saves on the way.
_HEADERS = {"Content-Encoding": "identity", "Cache-Control": "no-store"}
router = APIRouter(prefix="/jobs/{job_id}", tags=["results"])
Filtering = Annotated[str | None, Query(description="`status:valid`, `email~smith`, several joined by ` and `")]


class ColumnShape(Wire):
    """A column of a result."""

    name: str
    type: str
    description: str


class RowsAnswer(Answer):
    """A page of a result."""

    columns: list[ColumnShape]
    rows: list[dict[str, Any]]
    total: int


@router.get("/results", response_model=RowsAnswer, summary="A page of the rows committed so far")
def rows(
    bench: Bench,
    job_id: str,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=0, le=MAX_PAGE)] = 100,
    where: Filtering = None,
) -> Response:
    """Rows in the order of the input, with what their columns mean. `total` counts the rows that fit `where`."""
    job = get(bench.database, job_id)
    schema = bench.results.schema(job, bench.job_type(job.type))
    page = bench.results.page(job.id, schema, offset, limit, Where.parse(where))
    found = b",".join(map(json_rows, pieces(iter([page.table]), plain_schema(schema))))
    columns = ",".join(_column(field).model_dump_json() for field in schema).encode()
    body = b'{"success":true,"columns":[%b],"rows":[%b],"total":%d}' % (columns, found, page.total)
    return Response(body, media_type="application/json")


def _column(field: pa.Field) -> ColumnShape:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    described = (field.metadata or {}).get(b"description", b"").decode()
    return ColumnShape(name=field.name, type=type_name(kind), description=described)


def _download(extension: str, form: Format) -> Callable[..., Response]:
    def download(bench: Bench, job_id: str, where: Filtering = None) -> Response:
        job = get(bench.database, job_id)
        body = form.write(*_tables(bench, job, Where.parse(where)))
        return attachment(form, extension, f"{job.type}-{_day(job):%Y-%m-%d}", body)

    return download


def _tables(bench: Workbench, job: Job, where: Where) -> tuple[Iterator[pa.Table], pa.Schema]:
    schema = bench.results.schema(job, bench.job_type(job.type))
    where.apply(schema.empty_table())
    plain = plain_schema(schema)
    return pieces(bench.results.tables(job.id, where), plain), plain


def _day(job: Job) -> datetime:
    return from_ms(job.created_at)


add_downloads(router, "/results", "results", "Everything committed so far", _download)
