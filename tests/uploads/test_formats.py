"""Workbooks and Parquet files: cells as the sheet shows them, bounds against hostile ones."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import zipfile
from collections.abc import Callable

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from engine.errors import InvalidInput
from engine.uploads import Upload, read_file, workbook
from engine.uploads import parquet as parquets

_ODS = """<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="S">
<table:table-row><table:table-cell office:value-type="string"><text:p>email</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>n</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>a@b.test</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="42"><text:p>42</text:p></table:table-cell></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>""".replace(">\n<", "><")

_MANIFEST = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


def book(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    made = openpyxl.Workbook()
    fill(made)
    data = io.BytesIO()
    made.save(data)
    return data.getvalue()


def refused(data: bytes, name: str = "list.xlsx") -> str:
    with pytest.raises(InvalidInput) as caught:
        read_file(name, data)
    return str(caught.value)


def archive(**files: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(name.replace("__", "/"), text)
    return data.getvalue()


def test_cells_look_as_in_the_sheet():
    def fill(made: openpyxl.Workbook) -> None:
        made.active.title = "Empty"
        sheet = made.create_sheet("Leads")
        made.create_sheet("More")["A1"] = "other"
        sheet["B3"], sheet["C3"], sheet["D3"], sheet["E3"] = "email", "number", "when", "else"
        sheet["B4"], sheet["C4"], sheet["D4"], sheet["E4"] = "a@b.test", 42, dt.datetime(2024, 3, 1), 0.1 + 0.2  # noqa: DTZ001
        sheet["B5"], sheet["C5"], sheet["D5"] = "007", 4915112345678, dt.datetime(2024, 3, 1, 12, 30)  # noqa: DTZ001
        sheet["B7"], sheet["C7"], sheet["D7"], sheet["E7"] = "two\nlines", 1.5, dt.time(9, 5), True

    upload = read_file("list.xlsx", book(fill))
    assert upload.table.to_pylist() == [
        {"email": "a@b.test", "number": "42", "when": "2024-03-01", "else": "0.3"},
        {"email": "007", "number": "4915112345678", "when": "2024-03-01 12:30:00", "else": None},
        {"email": "two\nlines", "number": "1.5", "when": "09:05:00", "else": "TRUE"},
    ]
    assert upload.kind == "XLSX"
    assert upload.columns == ["email"]
    assert upload.notes == ["Sheet 'Leads' of 3; the others are not read", "3 empty rows left out"]


def test_hidden_sheets_come_last():
    def fill(made: openpyxl.Workbook) -> None:
        made.active["A1"], made.active["A2"] = "email", "hidden@b.test"
        made.active.sheet_state = "hidden"
        seen = made.create_sheet("Seen")
        seen["A1"], seen["A2"] = "email", "seen@b.test"

    assert read_file("list.xlsx", book(fill)).table.to_pylist() == [{"email": "seen@b.test"}]


def test_an_open_document_sheet_is_read():
    data = archive(
        mimetype="application/vnd.oasis.opendocument.spreadsheet", **{"content.xml": _ODS, "META-INF/manifest.xml": _MANIFEST}
    )
    upload = read_file("list.ods", data)
    assert (upload.kind, upload.table.to_pylist()) == ("ODS", [{"email": "a@b.test", "n": "42"}])


def test_workbooks_that_cannot_be_read_are_explained():
    whole = book(lambda made: made.active.append(["email"]))
    assert "header (email) but no rows" in refused(whole)
    assert "no filled cell" in refused(book(lambda made: None))
    assert "damaged ZIP archive or workbook" in refused(whole[:-100])
    assert "The workbook is damaged" in refused(archive(**{"xl/workbook.xml": "<nonsense"}))
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + "Workbook".encode("utf-16-le")
    assert "The workbook is damaged" in refused(old, "list.xls")
    assert "a Word document" in refused(archive(**{"word/document.xml": "x"}))
    assert "a ZIP archive; unpack it" in refused(archive(**{"list.csv": "x"}))


def test_a_sheet_with_a_cell_in_its_last_corner_takes_no_memory_of_ours():
    def fill(made: openpyxl.Workbook) -> None:
        made.active["A1"] = "a@b.test"
        made.active["XFD1048576"] = "far away"

    assert "more memory than is allowed" in refused(book(fill))


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1 << 20)
    assert "unpacks to more than" in refused(archive(**{"xl/workbook.xml": "x" * (2 << 20)}))


def test_a_workbook_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(workbook, "SECONDS", 0.001)
    assert "was not read within" in refused(book(lambda made: made.active.append(["email"])))


def parquet_of(columns: dict[str, object]) -> Upload:
    data = io.BytesIO()
    parquet.write_table(pa.table(columns), data)
    return read_file("list.parquet", data.getvalue())


def test_columns_of_parquet_become_plain():
    utc = dt.datetime(2024, 1, 1, 5, tzinfo=dt.UTC)
    upload = parquet_of(
        {
            "email": pa.array(["a@b.test", None]).dictionary_encode(),
            "zip": ["007", "1"],
            "list": [[1, 2], None],
            "map": [{"a": 1, "b": dt.date(2024, 1, 1)}, None],
            "price": [decimal.Decimal("1.50"), None],
            "text": [b"ab", None],
            "bytes": [b"\xff", None],
            "local": [utc.replace(tzinfo=None), None],
            "moment": [utc, None],
            "day": [dt.date(2024, 1, 2), None],
            "nothing": pa.nulls(2),
            "large": pa.array(["x", None], pa.large_string()),
            "count": [7, None],
            "share": pa.array([0.5, None], pa.float32()),
            "flag": [True, None],
            "span": [dt.timedelta(hours=1), None],
        }
    )
    assert upload.columns == ["email"]
    assert upload.kind == "Parquet"
    assert upload.table.to_pylist()[0] == {
        "email": "a@b.test",
        "zip": "007",
        "list": "[1, 2]",
        "map": '{"a": 1, "b": "2024-01-01"}',
        "price": "1.50",
        "text": "ab",
        "bytes": "ff",
        "local": "2024-01-01 05:00:00",
        "moment": utc,
        "day": "2024-01-02",
        "nothing": None,
        "large": "x",
        "count": 7,
        "share": 0.5,
        "flag": True,
        "span": "1:00:00",
    }


def test_parquet_files_that_cannot_be_read_are_explained(monkeypatch):
    data = io.BytesIO()
    parquet.write_table(pa.table({"email": ["a@b.test"] * 1000}), data)
    assert "damaged Parquet" in refused(data.getvalue()[:-3])
    assert "damaged Parquet" in refused(data.getvalue()[:40])
    monkeypatch.setattr(parquets, "MAX_DECODED", 1000)
    assert "unpacks to more than" in refused(data.getvalue())
    none = io.BytesIO()
    parquet.write_table(pa.table({"email": pa.array([], pa.string())}), none)
    assert "has columns (email) but no rows" in refused(none.getvalue())
