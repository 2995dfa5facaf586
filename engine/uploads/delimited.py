"""Delimited text: the delimiter found, then Arrow's reader for what is regular and the standard library's for what is not."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import csv as arrow_csv

from engine.uploads.grid import grid, numbered
from engine.uploads.matter import MATTERS, Matter
from engine.uploads.upload import refusal

DELIMITERS = ",;\t|"
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_SAMPLE_BYTES = 1 << 17
_SAMPLE_ROWS = 300
_BLOCK_BYTES = 4 << 20
_QUOTE = b'"'


def read_delimited(text: bytes, notes: list[str], matter: Matter = MATTERS["addresses"]) -> pa.Table | None:
    """Nameless columns of text from UTF-8; None when it is rather a list of what is expected than a table.

    Raises:
        InvalidInput: it can't be read as a table.
    """
    text, delimiter = _declared(text)
    rows = sample(text)
    if not rows:
        return pa.table({"column_1": pa.array([], pa.string())})
    delimiter = delimiter or sniff(rows)
    first = next(csv.reader(rows, delimiter=delimiter or ","), [])
    if matter.among(rows[0]) and _is_list(rows, delimiter, matter):
        return None
    if delimiter:
        notes.append(f"Columns separated by {NAMES.get(delimiter, 'the character named in the first line')}")
    table = _regular(text, delimiter or ",", len(first))
    if table is not None:
        return table
    if not delimiter and matter.among("".join(first)):
        return None
    return _irregular(text, delimiter or ",", notes, matter)


def sample(text: bytes) -> list[str]:
    """The first lines, whole ones only, those without content left out."""
    head = text[:_SAMPLE_BYTES]
    if len(text) > len(head):
        cut = max(head.rfind(b"\n"), head.rfind(b"\r"))
        head = head[: cut + 1] if cut > 0 else head
    lines = io.StringIO(head.decode(errors="ignore"), newline="")
    return [line for line in lines if line.strip()][:_SAMPLE_ROWS]


def sniff(rows: list[str]) -> str:
    """The delimiter that splits most rows into the same number of cells, more than one; "" when none does."""
    best, found = 0.0, ""
    for delimiter in DELIMITERS:
        widths = Counter(len(row) for row in _cells(rows, delimiter) if any(row))
        if not widths:
            continue
        total = widths.total()
        width, number = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        score = number / total + min(width, 20) / 1000 if width > 1 and number / total > 0.3 else 0.0
        if score > best:
            best, found = score, delimiter
    return found


def _cells(rows: list[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(rows, delimiter=delimiter)
    except csv.Error:
        return


def _declared(text: bytes) -> tuple[bytes, str]:
    """Without the line `sep=;` that spreadsheets write, and the delimiter it names."""
    line, newline, rest = text[:8].partition(b"\n")
    line = line.rstrip(b"\r")
    if newline and line[:4].lower() == b"sep=" and len(line) == 5 and line[4:] not in (b'"', b" ") and line.isascii():
        return text[len(text[:8]) - len(rest) :], line[4:].decode()
    return text, ""


def _is_list(rows: list[str], delimiter: str, matter: Matter) -> bool:
    """Whether lines without a header hold several of them each rather than the cells of a table."""
    if not any(matter.among(row) > 1 for row in rows):
        return False
    if not delimiter or len(rows) == 1 or "<" in rows[0]:
        return True
    return all(matter.alone(cell) for row in _cells(rows, delimiter) for cell in row if cell.strip())


def _regular(text: bytes, delimiter: str, width: int) -> pa.Table | None:
    """All rows as wide as the first or empty; None when they are not."""
    names, quoted = numbered(width), _QUOTE in text

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text),
            arrow_csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES),
            arrow_csv.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
            ),
            arrow_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return None if quoted and _swallowed(text, table) else table


def _swallowed(text: bytes, table: pa.Table) -> bool:
    """Whether a quotation mark that is never closed took the rest of the file into one cell."""
    if not table.num_rows or text.count(_QUOTE) % 2 == 0:
        return False
    return any("\n" in (column[-1].as_py() or "") for column in table.columns)


def _irregular(text: bytes, delimiter: str, notes: list[str], matter: Matter) -> pa.Table:
    """Row by row, whatever their lengths."""
    found = _by_row(text, delimiter, csv.QUOTE_MINIMAL)
    if found is None or _swallowed(text, found[0]):
        notes.append("A quotation mark is never closed: all of them are read as part of the text")
        found = _by_row(text, delimiter, csv.QUOTE_NONE)
    if found is None:
        raise refusal(f"A cell of the file is longer than 131,072 characters; expected one row for each {matter.one}.")
    notes += found[1]
    return found[0]


def _by_row(text: bytes, delimiter: str, quoting: int) -> tuple[pa.Table, list[str]] | None:
    lines = io.TextIOWrapper(io.BytesIO(text), "utf-8", errors="replace", newline="")
    try:
        return grid(csv.reader(lines, delimiter=delimiter, quoting=quoting), delimiter)  # type: ignore[arg-type]
    except csv.Error:
        return None
