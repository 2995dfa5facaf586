"""Rows as an XLSX workbook (ECMA-376), streamed: no temporary file, no Python object per cell.

A library that writes cell by cell needs a minute of the web process for a million rows; this needs a few seconds, mostly
in Arrow and zlib, which let the event loop run meanwhile. Only what a plain table needs is written: inline strings, numbers
and booleans, no styles.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as kinds

from engine.api.sink import Sink
from engine.api.tables import moments_as_text

SHEET_ROWS = 1_048_575
"""Rows of a sheet below its header (Excel specifications and limits, support.microsoft.com)."""
SHEET_BYTES = 1_500_000_000
"""XML of a sheet: below 2 GiB, as readers take no ZIP64 in a stream."""
CELL_CHARACTERS = 32_767
"""Characters of a cell; longer text is cut, as Excel could not open it."""
EXACT_INTEGER = 2**53
"""Excel's numbers are doubles: beyond this an integer is written as text, to keep every digit."""
_COMPRESSION = 2
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_CONTENT_TYPES = (
    f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_TYPES}.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/></Types>'
)
_TEXT = '<c t="inlineStr"><is><t xml:space="preserve">'
_END_TEXT = "</t></is></c>"
# Characters that XML cannot hold are written _xHHHH_ (ECMA-376 part 1, 22.9.2.19), and so is text that looks like that.
_UNSPEAKABLE = r"[\x00-\x08\x0b-\x1f\x{FFFE}\x{FFFF}]|_x[0-9A-Fa-f]{4}_"
_SPEAKING = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def workbook(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[bytes]:
    """The workbook's bytes. Text is typed as text, so no cell is ever evaluated as a formula; moments are ISO 8601 text."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        archive.writestr("_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")]))
        sheets = 0
        pending = _Pending(tables)
        while sheets == 0 or pending.more:
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w") as part:
                for _ in _sheet(part, pending, schema):
                    yield sink.taken()
        archive.writestr("xl/workbook.xml", _book(sheets))
        links = [("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, sheets + 1)]
        archive.writestr("xl/_rels/workbook.xml.rels", _relations(links))
    yield sink.taken()


class _Pending:
    """The tables that are still to be written, one of them perhaps in part."""

    def __init__(self, tables: Iterator[pa.Table]) -> None:
        self._tables = tables
        self._rest = next(tables, None)

    @property
    def more(self) -> bool:
        return self._rest is not None

    def take(self, most: int) -> pa.Table | None:
        """At most so many rows; None at the end."""
        table = self._rest
        if table is None:
            return None
        self._rest = table.slice(most) if table.num_rows > most else next(self._tables, None)
        return table.slice(0, most)


def _sheet(part: IO[bytes], pending: _Pending, schema: pa.Schema) -> Iterator[None]:
    """Write one sheet, as full as may be, stopping after each table."""
    header = "".join(f"{_TEXT}{escape(_spoken(name))}{_END_TEXT}" for name in schema.names)
    size = part.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData><row>{header}</row>'.encode())
    room = SHEET_ROWS
    while room and size < SHEET_BYTES and (table := pending.take(room)) is not None:
        room -= table.num_rows
        size += part.write(_rows(moments_as_text(table)))
        yield
    part.write(b"</sheetData></worksheet>")


def _rows(table: pa.Table) -> bytes:
    if not table.num_columns:
        return b"<row/>" * int(table.num_rows)
    cells = [_cells(column.combine_chunks()) for column in table.columns]
    rows = pc.binary_join_element_wise("<row>", *cells, "</row>", "")
    whole = pc.binary_join(pa.ListArray.from_arrays([0, len(rows)], rows), "")
    return whole[0].as_buffer().to_pybytes()  # type: ignore[no-any-return]


def _cells(array: pa.Array) -> pa.Array:
    if kinds.is_boolean(array.type):
        cells = pc.binary_join_element_wise('<c t="b"><v>', array.cast(pa.int8()).cast(pa.string()), "</v></c>", "")
    elif kinds.is_string(array.type):
        cells = pc.binary_join_element_wise(_TEXT, _escaped(array), _END_TEXT, "")
    else:
        text = array.cast(pa.string())
        cells = pc.binary_join_element_wise("<c><v>", text, "</v></c>", "")
        if kinds.is_integer(array.type):
            exact = pc.and_(pc.less_equal(array, EXACT_INTEGER), pc.greater_equal(array, -EXACT_INTEGER))
            cells = pc.if_else(exact, cells, pc.binary_join_element_wise(_TEXT, text, _END_TEXT, ""))
    return pc.fill_null(cells, "<c/>")


def _escaped(array: pa.Array) -> pa.Array:
    if (pc.max(pc.utf8_length(array)).as_py() or 0) > CELL_CHARACTERS:
        array = pc.utf8_slice_codeunits(array, 0, CELL_CHARACTERS)
    if pc.any(pc.match_substring_regex(array, _UNSPEAKABLE)).as_py():
        array = pa.array([None if text is None else _spoken(text) for text in array.to_pylist()], pa.string())
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        array = pc.replace_substring(array, plain, entity)
    return array


def _spoken(text: str) -> str:
    return _SPEAKING.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _book(sheets: int) -> str:
    entries = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in range(1, sheets + 1))
    return f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{entries}</sheets></workbook>'


def _relations(targets: list[tuple[str, str]]) -> str:
    numbered = enumerate(targets, 1)
    entries = "".join(f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for n, (kind, target) in numbered)
    return f'{_XML}<Relationships xmlns="{_RELATIONS}">{entries}</Relationships>'
