"""Reading a list: the format by content, then the table, its header and its address columns."""

from __future__ import annotations

import io
import zlib
from pathlib import PurePath
from typing import BinaryIO

import pyarrow as pa

from engine.errors import InvalidInput
from engine.uploads.delimited import read_delimited
from engine.uploads.encoding import to_utf8
from engine.uploads.grid import headed
from engine.uploads.kinds import Kind, kind_of
from engine.uploads.matter import MATTERS, Expects, Matter
from engine.uploads.parquet import read_parquet
from engine.uploads.upload import EXPECTED, MAX_BYTES, Upload, make_upload, refusal, too_large
from engine.uploads.workbook import read_workbook

_STEP = 1 << 20
_NAMED = {
    ".csv": "CSV", ".tsv": "CSV", ".txt": "CSV", ".xlsx": "XLSX", ".xlsm": "XLSX", ".xls": "XLS", ".xlsb": "XLSB", ".ods": "ODS",
    ".parquet": "Parquet", ".pq": "Parquet",
}  # fmt: skip
"""What a file of that name should be."""


def read_file(name: str, data: bytes | BinaryIO, *, expects: Expects = "addresses", limit: int = MAX_BYTES) -> Upload:
    """The list in a file: CSV in any usual encoding and with any usual delimiter, gzipped or not, XLSX, XLS, ODS or Parquet.

    The name only serves notes; `expects` says what the list is of. `limit` is in bytes. A cell of text keeps its text
    (leading zeros), of a sheet what the sheet shows; an empty cell is null. No row with content is left out.

    Raises:
        InvalidInput: for the field `file`: too large, of no known format, damaged, or without rows.
    """
    try:
        return _read(name, _whole(data, limit), limit, MATTERS[expects])
    except InvalidInput as error:
        raise _worded(error, "file", expects) from None


def read_text(text: str, *, expects: Expects = "addresses") -> Upload:
    """The list in pasted text: one item per line, several separated by commas, semicolons or spaces, or a table with a header.

    Raises:
        InvalidInput: for the field `text`: there is nothing in it.
    """
    notes: list[str] = []
    matter = MATTERS[expects]
    try:
        if not text.strip():
            raise refusal(f"The text is empty; give at least one {matter.one}.")
        table = _from_text(text.encode(errors="replace"), notes, matter)
    except InvalidInput as error:
        raise _worded(error, "text", expects) from None
    return make_upload(table, "pasted text", notes, matter)


def _read(name: str, data: bytes, limit: int, matter: Matter) -> Upload:
    notes: list[str] = []
    if not data:
        raise refusal(f"The file is empty; {EXPECTED}.")
    kind = kind_of(data)
    if kind is Kind.GZIP:
        data = _unpacked(data, limit)
        kind = kind_of(data)
        notes.append("Unpacked from gzip")
        name = name.removesuffix(".gz")
    if isinstance(kind, str) or kind is Kind.GZIP:
        raise refusal(f"This is {kind if isinstance(kind, str) else 'a gzip archive in another'}; {EXPECTED}.")
    table = _table(data, kind, notes, matter)
    named = _NAMED.get(PurePath(name).suffix.lower())
    if named and named != kind.value:
        notes.insert(0, f"The name says {named}, the content is {kind.value}: read as {kind.value}")
    return make_upload(table, kind.value, notes, matter)


def _table(data: bytes, kind: Kind, notes: list[str], matter: Matter) -> pa.Table:
    if kind is Kind.PARQUET:
        return read_parquet(data, notes)
    if kind is not Kind.TEXT:
        return headed(read_workbook(data, kind, notes), notes, matter)
    text = to_utf8(data, notes)
    if text is None:
        raise refusal(f"This is binary data of an unknown kind; {EXPECTED}.")
    return _from_text(text, notes, matter)


def _from_text(text: bytes, notes: list[str], matter: Matter) -> pa.Table:
    """A table of UTF-8 text: delimited, or else one column of what is expected."""
    raw = read_delimited(text, notes, matter)
    if raw is not None:
        return headed(raw, notes, matter)
    notes.append(f"Several {matter.many} to a line: each has a row of its own")
    return matter.pieces(text.decode(errors="replace"))


def _whole(data: bytes | BinaryIO, limit: int) -> bytes:
    """All bytes, unless they are too many."""
    if isinstance(data, bytes):
        if len(data) > limit:
            raise too_large(len(data), limit)
        return data
    if data.seekable():
        size = data.seek(0, io.SEEK_END)
        data.seek(0)
        if size > limit:
            raise too_large(size, limit)
        return data.read()
    found = data.read(limit + 1)
    if len(found) > limit:
        raise too_large(None, limit)
    return found


def _unpacked(data: bytes, limit: int) -> bytes:
    """What a gzip file holds, in one or several members."""
    parts: list[bytes] = []
    size = 0
    while data.startswith(b"\x1f\x8b"):
        member = zlib.decompressobj(wbits=31)
        part = b"begin"
        try:
            while part or data:
                part = member.decompress(data, _STEP)
                data = member.unconsumed_tail
                parts.append(part)
                size += len(part)
                if size > limit:
                    raise too_large(None, limit)
        except zlib.error:
            raise refusal(f"This is a damaged gzip file; {EXPECTED}.") from None
        if not member.eof:
            raise refusal(f"This is a gzip file that ends too early; {EXPECTED}.")
        data = member.unused_data
    return b"".join(parts)


def _worded(error: InvalidInput, field: str, expects: str) -> InvalidInput:
    """The same problem under another field and for another sort of list."""
    message = error.problems[0].message.replace("expected a list", f"expected a list of {expects}")
    return InvalidInput.of(field, message.replace("The file", "The text") if field == "text" else message)
