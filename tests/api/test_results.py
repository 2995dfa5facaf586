"""Results: pages, and four downloads that hold the same rows."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.api.exports import FORMATS
from engine.api.tables import pieces, plain_schema
from engine.api.text import csv_header, csv_rows, json_rows
from tests.api.kinds import PROBE, complete, work

KINDS = ("csv", "json", "parquet", "xlsx")


async def job_with(http, **params) -> str:
    return str((await http.post(f"/api/{PROBE.name}-job", json=params)).json()["jobId"])


async def downloads(http, job_id: str, query: str = "") -> dict[str, list[dict[str, Any]]]:
    """The rows of each format with None for empty and every cell as text, to compare."""
    raw = {kind: await http.get(f"/api/jobs/{job_id}/results.{kind}{query}") for kind in KINDS}
    assert all(answer.status_code == 200 for answer in raw.values())
    sheets = openpyxl.load_workbook(io.BytesIO(raw["xlsx"].content), read_only=True).worksheets
    lines = [list(sheet.iter_rows(values_only=True)) for sheet in sheets]
    rows = [dict(zip(lines[0][0], line, strict=True)) for sheet in lines for line in sheet[1:]]
    table = pq.read_table(io.BytesIO(raw["parquet"].content))
    found = {
        "csv": list(csv.DictReader(io.StringIO(raw["csv"].content.decode(), newline=""))),
        "json": raw["json"].json(),
        "parquet": table.to_pylist(),
        "xlsx": rows,
    }
    return {kind: [{name: text(value) for name, value in row.items()} for row in rows] for kind, rows in found.items()}


def text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "isoformat"):
        return str(value.isoformat(timespec="milliseconds")).replace("+00:00", "Z")
    return f"{value:g}" if isinstance(value, float) else str(value)


async def test_a_page_has_columns_rows_and_a_total(http, bench):
    job_id = await job_with(http)
    complete(bench, job_id)
    page = (await http.get(f"/api/jobs/{job_id}/results?offset=12&limit=2")).json()
    assert set(page) == {"success", "columns", "rows", "total"} and page["total"] == 30
    assert [row["email"] for row in page["rows"]] == ["user12@example.com", '="o,13"\n@example.com']
    assert page["rows"][0] == {
        "email": "user12@example.com",
        "status": "valid",
        "score": 3.0,
        "rank": 12,
        "fine": True,
        "seen": "2026-01-02T03:04:12.500Z",
    }
    assert page["rows"][1]["score"] is None
    assert page["columns"][0] == {"name": "email", "type": "string", "description": "the address"}
    assert [column["type"] for column in page["columns"]] == ["string", "string", "number", "integer", "boolean", "datetime"]


async def test_pages_are_filtered(http, bench):
    job_id = await job_with(http)
    complete(bench, job_id)
    page = (await http.get(f"/api/jobs/{job_id}/results", params={"where": "status:valid and email~USER2", "limit": 5})).json()
    assert page["total"] == 10 and len(page["rows"]) == 5
    assert (await http.get(f"/api/jobs/{job_id}/results?limit=0")).json()["rows"] == []
    assert (await http.get(f"/api/jobs/{job_id}/results?offset=1000")).json()["rows"] == []
    for query in ({"where": "nonsense"}, {"where": "nocolumn:x"}, {"offset": -1}, {"limit": 10_001}):
        answer = await http.get(f"/api/jobs/{job_id}/results", params=query)
        assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] in query, query


async def test_the_four_downloads_agree(http, bench):
    job_id = await job_with(http)
    complete(bench, job_id)
    found = await downloads(http, job_id)
    assert len(found["csv"]) == 30
    assert found["csv"] == found["json"] == found["parquet"] == found["xlsx"]
    some = await downloads(http, job_id, "?where=status:invalid")
    assert len(some["csv"]) == 3 and some["csv"] == some["json"] == some["parquet"] == some["xlsx"]


async def test_downloads_work_while_the_job_runs_and_before_its_first_row(http, bench):
    job_id = await job_with(http, emails=[{"email": "a@x.org", "Größe": "L"}, {"email": "b@x.org", "Größe": None}])
    raw = (await http.get(f"/api/jobs/{job_id}/results.csv")).text
    assert raw == "input_email,Größe,email,status,score,rank,fine,seen\n"
    assert (await http.get(f"/api/jobs/{job_id}/results.json")).json() == []
    found = await downloads(http, job_id)
    assert all(rows == [] for rows in found.values())
    empty = pq.read_table(io.BytesIO((await http.get(f"/api/jobs/{job_id}/results.parquet")).content))
    assert empty.column_names[:2] == ["input_email", "Größe"]
    other = await job_with(http)
    work(bench, other, [1])
    partly = await downloads(http, other)
    assert len(partly["csv"]) == 10 and partly["csv"] == partly["json"] == partly["parquet"] == partly["xlsx"]


async def test_downloads_are_named_and_typed(http, bench):
    job_id = await job_with(http)
    complete(bench, job_id)
    day = (await http.get(f"/api/jobs/{job_id}/status")).json()["job"]["createdAt"][:10]
    for kind, media in (
        ("csv", "text/csv"),
        ("json", "application/json"),
        ("parquet", "application/vnd.apache.parquet"),
        ("xlsx", "application/vnd"),
    ):
        answer = await http.get(f"/api/jobs/{job_id}/results.{kind}")
        assert answer.headers["content-disposition"] == f'attachment; filename="{PROBE.name}-{day}.{kind}"'
        assert answer.headers["content-type"].startswith(media)
        wrong = await http.get(f"/api/jobs/{job_id}/results.{kind}?where=x")
        assert wrong.status_code == 422


async def test_a_spreadsheet_has_as_many_sheets_as_it_needs(http, bench, monkeypatch):
    monkeypatch.setattr("engine.api.sheets.SHEET_ROWS", 12)
    job_id = await job_with(http)
    complete(bench, job_id)
    book = openpyxl.load_workbook(io.BytesIO((await http.get(f"/api/jobs/{job_id}/results.xlsx")).content))
    assert [sheet.max_row for sheet in book.worksheets] == [13, 13, 7]
    assert {sheet.cell(1, 1).value for sheet in book.worksheets} == {"email"}
    cell = book.worksheets[0].cell(5, 1)
    assert cell.data_type == "s" and cell.value.startswith("="), "text that looks like a formula stays text"


def test_a_lone_empty_cell_is_no_blank_line():
    table = pa.table({"a": pa.array(["x", None, "", "y"])})
    plain = next(pieces(iter([table]), plain_schema(table.schema)))
    lines = (csv_header(plain.schema) + csv_rows(plain)).decode()
    assert [row for row in csv.reader(io.StringIO(lines)) if row] == [["a"], ["x"], [""], [""], ["y"]]
    assert json.loads(b"[" + json_rows(plain) + b"]") == [{"a": "x"}, {"a": None}, {"a": ""}, {"a": "y"}]


@pytest.mark.parametrize("odd", [[1, 2], {"k": "v"}, b"\xff", float("nan"), float("inf")])
def test_odd_cells_of_an_upload_reach_every_format(odd):
    table = pa.table({"odd": [odd, None], "email": ["a@x.org", "b\x01\x0b@x.org"]})
    schema = plain_schema(table.schema)
    for form in FORMATS.values():
        assert b"".join(form.write(pieces(iter([table]), schema), schema))
