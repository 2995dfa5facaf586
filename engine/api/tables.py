"""Result tables as every format can hold them: one schema for all chunks, plain types, text where a type is exotic."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as kinds

PIECE_ROWS = 50_000
"""Rows handled at once by a download: what bounds its memory."""
_NAMES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (kinds.is_boolean, "boolean"),
    (kinds.is_integer, "integer"),
    (kinds.is_floating, "number"),
    (kinds.is_timestamp, "datetime"),
)


def type_name(kind: pa.DataType) -> str:
    """`string`, `integer`, `number`, `boolean` or `datetime`."""
    return next((name for fits, name in _NAMES if fits(kind)), "string")


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with strings for whatever is not a number, a boolean or a moment; descriptions stay."""
    return pa.schema([field.with_type(_plain_type(field.type)).with_nullable(True) for field in schema])


def plain_table(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table under a schema that `plain_schema` made: lacking columns are empty, not-a-number is empty."""
    return pa.table([_plain_column(table, field) for field in schema], schema=schema)


def pieces(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """Plain tables of at most `PIECE_ROWS` rows."""
    for table in tables:
        for start in range(0, table.num_rows, PIECE_ROWS):
            yield plain_table(table.slice(start, PIECE_ROWS), schema)


def moments_as_text(table: pa.Table) -> pa.Table:
    """The table with moments in ISO 8601, those of a known zone in UTC with `Z`."""
    for index, field in enumerate(table.schema):
        if kinds.is_timestamp(field.type):
            column = table.column(index)
            if field.type.tz:
                column = column.cast(pa.timestamp(field.type.unit, "UTC"))
            text = pc.strftime(column, format="%Y-%m-%dT%H:%M:%S" + ("Z" if field.type.tz else ""))
            table = table.set_column(index, field.name, text)
    return table


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if kinds.is_dictionary(kind):
        return _plain_type(kind.value_type)
    return pa.string() if type_name(kind) == "string" else kind


def _plain_column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name not in table.column_names:
        return pa.nulls(table.num_rows, field.type)
    column = table.column(field.name)
    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if kinds.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    try:
        return column.cast(field.type)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        texts = [None if value is None else _as_text(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())]).cast(field.type)


def _as_text(value: object) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.hex() if isinstance(value, bytes) else str(value)
