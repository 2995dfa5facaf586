"""Reads a workbook in a process of its own: what a hostile file can break or fill up is this process and nothing else.

Run as a script: the workbook on standard input, an Arrow stream on standard output; exit status 3 with a word on standard error.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import islice, zip_longest
from typing import Any

import pyarrow as pa
import python_calamine as calamine

MEMORY = 4 << 30
"""Bytes of address space."""
MAX_TEXT = 1 << 30
"""Bytes of text in one sheet."""
_BLOCK_ROWS = 20_000
_REFUSED = 3
_MIDNIGHT = time(0)


def main() -> int:
    """Read, write, and say in a word what went wrong."""
    _limit()
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read())) as workbook:
            sheet = _first_filled(workbook)
            if sheet is None:
                return _refuse("empty")
            return _write(sheet, len(workbook.sheet_names))
    except calamine.PasswordError:
        return _refuse("password")
    except MemoryError:
        return _refuse("large")
    except (calamine.CalamineError, OSError, ValueError):
        return _refuse("damaged")


def cell_text(value: Any) -> str | None:
    """A cell as it looks in the sheet: 42 rather than 42.0; dates and times as in ISO 8601; None when it is empty."""
    match value:
        case str():
            return value or None
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            return f"{value:.0f}" if value.is_integer() and abs(value) < 1e21 else f"{value:.15g}"
        case datetime():
            return f"{value:%Y-%m-%d}" if value.time() == _MIDNIGHT else value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case _:
            return None if value is None else str(value)


def _first_filled(workbook: calamine.CalamineWorkbook) -> calamine.CalamineSheet | None:
    """The first sheet with content, those that are seen before those that are hidden."""
    seen = calamine.SheetVisibleEnum.Visible
    for about in sorted(workbook.sheets_metadata, key=lambda about: about.visible != seen):
        if about.typ == calamine.SheetTypeEnum.WorkSheet:
            sheet = workbook.get_sheet_by_name(about.name)
            if sheet.height and any(any(cell != "" for cell in row) for row in sheet.iter_rows()):
                return sheet
    return None


def _write(sheet: calamine.CalamineSheet, sheets: int) -> int:
    """One column for each of the sheet's, named by number; its name travels as metadata."""
    names = [f"column_{index + 1}" for index in range(sheet.end[1] + 1 if sheet.end else 0)]
    about = {"sheet": sheet.name, "sheets": str(sheets)}
    schema = pa.schema([(name, pa.string()) for name in names], about)
    size = 0
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as writer:
        rows = sheet.iter_rows()
        for block in _blocks(rows):
            columns = list(zip_longest(*block))
            arrays = [pa.array(list(map(cell_text, column)), pa.string()) for column in columns]
            arrays += [pa.nulls(len(block), pa.string())] * (len(names) - len(arrays))
            batch = pa.record_batch(arrays, schema)
            size += batch.nbytes
            if size > MAX_TEXT:
                return _refuse("large")
            writer.write_batch(batch)
    return 0


def _blocks(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    while block := list(islice(rows, _BLOCK_ROWS)):
        yield block


def _refuse(word: str) -> int:
    sys.stderr.write(word)
    return _REFUSED


def _limit() -> None:
    """Bound the memory, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())
