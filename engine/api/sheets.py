"""Rows as an XLSX workbook: written row by row to a temporary file, on as many sheets as Excel's limit needs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any

import pyarrow as pa
import xlsxwriter
from pyarrow import types as kinds

from engine.api.tables import moments_as_text

SHEET_ROWS = 1_048_575
"""Rows of a sheet below its header (Excel specifications and limits, support.microsoft.com)."""
CELL_CHARACTERS = 32_767
"""Characters of a cell; longer text is cut, as Excel could not open it."""
EXACT_INTEGER = 2**53
"""Excel's numbers are doubles: beyond this an integer is written as text, to keep every digit."""
_READ = 1 << 20
_OPTIONS = {
    "constant_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


def workbook(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """The workbook's bytes. Text is typed as text, so no cell is ever evaluated as a formula; moments are ISO 8601 text."""
    with tempfile.TemporaryFile(prefix="postbench-") as file:
        _write(file, tables, schema)
        file.seek(0)
        yield from iter(partial(file.read, _READ), b"")


def _write(file: IO[bytes], tables: Iterator[pa.Table], schema: pa.Schema) -> None:
    book = xlsxwriter.Workbook(file, _OPTIONS)
    sheet, used = _sheet(book, schema), 0
    for table in tables:
        for start, stop in _cuts(table.num_rows, used):
            if used == SHEET_ROWS:
                sheet, used = _sheet(book, schema), 0
            _fill(sheet, moments_as_text(table.slice(start, stop - start)), used + 1)
            used += stop - start
    book.close()


def _cuts(rows: int, used: int) -> Iterator[tuple[int, int]]:
    """Spans of a table that each fit on one sheet, of which `used` rows are taken."""
    start = 0
    while start < rows:
        room = SHEET_ROWS - used or SHEET_ROWS
        stop = min(rows, start + room)
        yield start, stop
        used, start = (used % SHEET_ROWS) + stop - start, stop


def _sheet(book: Any, schema: pa.Schema) -> Any:
    sheet = book.add_worksheet()
    for column, name in enumerate(schema.names):
        sheet.write_string(0, column, name[:CELL_CHARACTERS])
    return sheet


def _fill(sheet: Any, table: pa.Table, first: int) -> None:
    writers = [_writer(sheet, field.type) for field in table.schema]
    columns = [column.to_pylist() for column in table.columns]
    for row, values in enumerate(zip(*columns, strict=True), first):
        for column, value in enumerate(values):
            if value is not None:
                writers[column](row, column, value)


def _writer(sheet: Any, kind: pa.DataType) -> Callable[[int, int, Any], object]:
    def integer(row: int, column: int, value: int) -> object:
        exact = abs(value) <= EXACT_INTEGER
        return sheet.write_number(row, column, value) if exact else sheet.write_string(row, column, str(value))

    if kinds.is_boolean(kind):
        return sheet.write_boolean  # type: ignore[no-any-return]
    if kinds.is_integer(kind):
        return integer
    if kinds.is_floating(kind):
        return sheet.write_number  # type: ignore[no-any-return]
    return lambda row, column, value: sheet.write_string(row, column, value[:CELL_CHARACTERS])
