"""Downloads: a whole result as CSV, JSON, Parquet or XLSX, made piece by piece in bounded memory. The four agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import APIRouter
from sqlalchemy import Row
from starlette.responses import Response, StreamingResponse

from engine.api.sheets import workbook
from engine.api.sink import Sink
from engine.api.text import csv_header, csv_rows, json_rows


def as_csv(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """UTF-8 CSV with a header line."""
    yield csv_header(schema)
    yield from map(csv_rows, tables)


def as_json(tables: Iterator[pa.Table], _schema: pa.Schema) -> Iterator[bytes]:
    """One array of row objects."""
    separator = b"["
    for table in tables:
        yield separator + json_rows(table)
        separator = b",\n"
    yield b"[]\n" if separator == b"[" else b"]\n"


def as_parquet(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """A Parquet file (zstd), one row group per piece; column descriptions travel as field metadata."""
    sink = Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
            yield sink.taken()
    yield sink.taken()


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of download: how the browser is told, and what makes the bytes of plain tables."""

    media_type: str
    write: Callable[[Iterator[pa.Table], pa.Schema], Iterator[bytes]]


FORMATS = {
    "csv": Format("text/csv; charset=utf-8; header=present", as_csv),
    "json": Format("application/json", as_json),
    "parquet": Format("application/vnd.apache.parquet", as_parquet),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook),
}
"""The downloads by file name extension."""


def attachment(form: Format, extension: str, stem: str, body: Iterator[bytes]) -> Response:
    """The answer of a download: streamed as it is made, under the name `<stem>.<extension>`."""
    headers = {
        "Content-Disposition": f'attachment; filename="{stem}.{extension}"',
        "Content-Encoding": "identity",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(body, media_type=form.media_type, headers=headers)


def add_downloads(
    router: APIRouter, path: str, name: str, summary: str, made: Callable[[str, Format], Callable[..., Response]]
) -> None:
    """A route `<path>.<extension>` for each kind of download; `made` gives its endpoint, `summary` is followed by the kind."""
    for extension, form in FORMATS.items():
        router.add_api_route(
            f"{path}.{extension}",
            made(extension, form),
            methods=["GET"],
            name=f"{name}_{extension}",
            summary=f"{summary} as {extension.upper()}",
            response_class=StreamingResponse,
            responses={200: {"content": {form.media_type.partition(";")[0]: {}}}},
        )


def row_tables(parts: Iterator[Sequence[Row[*tuple[Any, ...]]]], schema: pa.Schema) -> Iterator[pa.Table]:
    """Rows of the database as tables; columns beyond those of the schema are left out."""
    for rows in parts:
        columns = list(zip(*rows, strict=True))[: len(schema)]
        yield pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema)
