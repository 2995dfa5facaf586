"""Parquet files: read batch by batch within a bound; nested and foreign types become text."""

from __future__ import annotations

import json

import pyarrow as pa
from pyarrow import parquet
from pyarrow import types as kinds

from engine.durable.schema import TIMESTAMP
from engine.uploads.grid import unique
from engine.uploads.upload import EXPECTED, MAX_COLUMNS, refusal, shown

MAX_DECODED = 1 << 30
"""How much a file may unpack to, in bytes."""
_BATCH_ROWS = 8_192


def read_parquet(data: bytes, notes: list[str]) -> pa.Table:
    """The table, its columns of plain types.

    Raises:
        InvalidInput: it is damaged, empty, or unpacks to more than `MAX_DECODED`.
    """
    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
        names = file.schema_arrow.names
        if not file.metadata.num_rows:
            raise refusal(f"The file has columns ({shown(names)}) but no rows; {EXPECTED}, with a row for each address.")
        if len(names) > MAX_COLUMNS:
            raise refusal(f"The file has {len(names):,} columns; at most {MAX_COLUMNS:,} can be read.")
        tables, size = [], 0
        for batch in file.iter_batches(_BATCH_ROWS):
            table = pa.table([_plain(pa.chunked_array([column])) for column in batch.columns], unique_names(names))
            size += table.nbytes
            if size > MAX_DECODED:
                raise refusal(f"The file unpacks to more than {MAX_DECODED >> 20:,} MB; split it, or leave out columns.")
            tables.append(table)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, NotImplementedError):
        raise refusal(f"This is a damaged Parquet file, or one of a newer kind; {EXPECTED}.") from None
    unique(names, range(len(names)), notes)
    return pa.concat_tables(tables)


def unique_names(names: list[str]) -> list[str]:
    """The names, none empty and none twice."""
    return unique([name.strip() for name in names], range(len(names)), [])


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as text, whole or floating-point numbers, booleans or moments in UTC."""
    kind = column.type
    if kinds.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if kinds.is_string(kind) or kinds.is_boolean(kind) or (kinds.is_integer(kind) and not kinds.is_uint64(kind)):
        return column
    if kinds.is_floating(kind):
        return column.cast(pa.float64())
    if kinds.is_timestamp(kind) and kind.tz:
        return column.cast(TIMESTAMP, safe=False)
    if kinds.is_nested(kind):
        texts = [None if value is None else _json(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_fixed_size_binary(kind):
        return pa.chunked_array([pa.array([_decoded(value) for value in column.to_pylist()], pa.string())])
    if kinds.is_duration(kind):
        return pa.chunked_array([pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())])
    if kinds.is_timestamp(kind) or kinds.is_time(kind):
        column = _whole_seconds(column)
    return column.cast(pa.string())


def _whole_seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without digits after the second, where all of them are zero."""
    try:
        return column.cast(pa.timestamp("s") if kinds.is_timestamp(column.type) else pa.time32("s"))
    except pa.ArrowInvalid:
        return column


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_said).encode(errors="replace").decode()


def _said(value: object) -> str:
    return _decoded(value) or "" if isinstance(value, bytes) else str(value)


def _decoded(value: bytes | None) -> str | None:
    """Bytes as text where they are text, else in hexadecimal."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
