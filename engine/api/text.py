"""Rows as CSV and JSON text, column by column in Arrow: no Python object per cell, and no lock held meanwhile."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import types as kinds

from engine.api.tables import moments_as_text

_SPECIAL = r'["\\\x00-\x1f]'


def csv_header(schema: pa.Schema) -> bytes:
    """The first line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(schema.names)
    return line.getvalue().encode()


def csv_rows(table: pa.Table) -> bytes:
    """The rows of a plain table, quoted where needed (RFC 4180), `\\n` at line ends, empty cells for nulls.

    Cells are never altered: a value that begins with `=` stays as it is. Spreadsheets that should not evaluate such cells
    get the XLSX download, where every text is typed as text.
    """
    table = moments_as_text(table)
    if table.num_columns == 1:  # a lone empty cell must not look like a blank line
        only = table.column(0)
        table = pa.table({"": pc.fill_null(only.cast(pa.string()), "")})
        return _csv(table, "needed")
    try:
        return _csv(table, "none")
    except pa.ArrowInvalid:  # some cell needs quotes
        return _csv(table, "needed")


def json_rows(table: pa.Table) -> bytes:
    """The rows of a plain table as JSON objects, separated by commas, without the brackets around them."""
    table = moments_as_text(table)
    if not table.num_rows:
        return b""
    if not table.num_columns:
        return b",".join([b"{}"] * table.num_rows)
    parts: list[pa.Array | str] = []
    for index, name in enumerate(table.column_names):
        parts += [("," if index else "{") + json.dumps(name, ensure_ascii=False) + ":", _json_column(table.column(index))]
    objects = pc.binary_join_element_wise(*parts, "}", "")
    whole = pc.binary_join(pa.ListArray.from_arrays([0, len(objects)], objects), ",")
    return whole[0].as_buffer().to_pybytes()  # type: ignore[no-any-return]


def _csv(table: pa.Table, quoting: str) -> bytes:
    sink = pa.BufferOutputStream()
    arrow_csv.write_csv(table, sink, arrow_csv.WriteOptions(include_header=False, quoting_style=quoting, batch_size=10_000))
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _json_column(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if not kinds.is_string(array.type):
        return pc.fill_null(array.cast(pa.string()), "null")
    if pc.any(pc.match_substring_regex(array, _SPECIAL)).as_py():
        return pa.array(
            ["null" if text is None else json.dumps(text, ensure_ascii=False) for text in array.to_pylist()], pa.string()
        )
    return pc.fill_null(pc.binary_join_element_wise('"', array, '"', ""), "null")
