"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

import io
import re
import zipfile
from enum import Enum
from zlib import error as ZlibError  # noqa: N812 - an exception


class Kind(Enum):
    """Formats that can be read; the value is what they are called."""

    TEXT = "CSV"
    XLSX = "XLSX"
    XLSB = "XLSB"
    XLS = "XLS"
    ODS = "ODS"
    PARQUET = "Parquet"
    GZIP = "gzip"


_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"{\\rtf", "an RTF document"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"PK\x05\x06", "an empty ZIP archive"),
    (0, b"ARROW1", "an Arrow file"),
    (0, b"FEA1", "a Feather file"),
    (0, b"ORC", "an ORC file"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ\x90\0", "a Windows program"),
    (4, b"ftyp", "a video or picture"),
    (0, b"ID3", "a sound file"),
    (0, b"OggS", "a sound file"),
    (0, b"fLaC", "a sound file"),
    (0, b"bplist", "a property list"),
)
_TEXTS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"<!doctype html|<html\b|<head\b|<body\b|<table\b", re.I), "an HTML page"),
    (re.compile(rb"<\?xml|<!--|<svg\b", re.I), "an XML file"),
    (re.compile(rb"BEGIN:VCARD", re.I), "a vCard file"),
    (re.compile(rb"BEGIN:VCALENDAR", re.I), "a calendar file"),
    (re.compile(rb'\{\s*(?:"|\})|\[\s*(?:\{|"|\[|\])'), "a JSON file"),
)
_OFFICE = (("word/document.xml", "a Word document"), ("ppt/presentation.xml", "a PowerPoint presentation"))
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DAMAGED = "a damaged ZIP archive or workbook"


def kind_of(data: bytes) -> Kind | str:
    """The format, or what it is instead, with its article: "a PNG image"."""
    for offset, magic, name in _MAGIC:
        if data.startswith(magic, offset):
            return name
    if data.startswith(b"PAR1"):
        return Kind.PARQUET
    if data.startswith(b"\x1f\x8b"):
        return Kind.GZIP
    if data.startswith(b"PK\x03\x04"):
        return _archive(data)
    if data.startswith(_OLE):
        return _compound(data)
    return _text(data)


def _archive(data: bytes) -> Kind | str:
    """Which of the formats that are ZIP archives."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                return _open_document(archive.read("mimetype"))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError, EOFError, KeyError, ZlibError):
        return _DAMAGED
    if "xl/workbook.bin" in names:
        return Kind.XLSB
    if any(name.startswith("xl/") for name in names):
        return Kind.XLSX
    return next((what for name, what in _OFFICE if name in names), "a ZIP archive; unpack it and give the file in it")


def _open_document(kind: bytes) -> Kind | str:
    if kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return Kind.ODS
    return "an OpenDocument file without a table" if b"opendocument" in kind else "an archive of another program"


def _compound(data: bytes) -> Kind | str:
    """Which of the formats that are compound files, by the names of their streams."""

    def holds(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if holds("EncryptedPackage"):
        return "a workbook protected by a password; save it without one"
    if holds("Workbook") or holds("Book\0"):
        return Kind.XLS
    return "an old Word document" if holds("WordDocument") else "an old Office document or an Outlook message"


def _text(data: bytes) -> Kind | str:
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((name for pattern, name in _TEXTS if pattern.match(head)), Kind.TEXT)


def workbook_size(data: bytes) -> int:
    """How many bytes a zipped workbook says it unpacks to."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(entry.file_size for entry in archive.infolist())
