"""Suppressed addresses over HTTP: search, look, add one or many, remove with a reason, download."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import quote

import openpyxl
import pyarrow.parquet as pq
import pytest

from engine.api.suppressions import SCHEMA
from engine.durable import bounces, suppressions
from engine.durable.bounces import BounceIn
from engine.durable.suppressions import NewSuppression

URL = "/api/suppressions"


@pytest.fixture
def stored(bench):
    """u0@x.org … u9@x.org, the first three bounced; one that looks like a formula."""
    users = [NewSuppression(f"u{n}@x.org", f"U{n}@x.org", f"reason {n}", "bounce" if n < 3 else "manual") for n in range(10)]
    suppressions.add(bench.database, [*users, NewSuppression("=sum(a1)@y.org", "=sum(a1)@y.org", "=1+1", "import")])


async def keys(http, **query) -> list[str]:
    answer = await http.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["success"] and body["count"] == len(body["suppressions"]) <= body["total"]
    return [one["key"] for one in body["suppressions"]]


async def test_nobody_is_suppressed_at_first(http):
    assert (await http.get(URL)).json() == {"success": True, "suppressions": [], "count": 0, "nextCursor": None, "total": 0}
    assert (await http.get(f"{URL}.csv")).text == ",".join(SCHEMA.names) + "\n"


async def test_one_is_added_once(http):
    body = {"address": " J.Doe+news@Gmail.com ", "reason": " asked by phone "}
    first = await http.post(URL, json=body)
    assert first.status_code == 201
    assert first.json() == {
        "success": True,
        "message": "1 added, 0 known already",
        "added": 1,
        "known": 0,
        "notAddresses": 0,
        "details": [],
    }
    again = await http.post(URL, json={"address": "jdoe@gmail.com", "reason": "another"})
    assert again.status_code == 200 and (again.json()["added"], again.json()["known"]) == (0, 1)
    found = (await http.get(URL)).json()["suppressions"]
    created = found[0].pop("createdAt")
    assert created.endswith("Z") and created == found[0].pop("updatedAt")
    told = {"reason": "asked by phone", "source": "api", "jobId": None}
    assert found == [{"address": "J.Doe+news@gmail.com", "key": "jdoe@gmail.com", **told}]
    assert (await http.post(URL, json={"address": "bob@x.org"})).status_code == 201
    assert (await http.get(f"{URL}/bob@x.org")).json()["suppression"]["reason"] == "added through the API"


async def test_many_are_added_and_what_is_no_address_is_told_by_place(http, stored):
    many = ["new@x.org", "u1@x.org", "New@X.org", "s3cret", None, "b@z.org"]
    answer = await http.post(URL, json={"addresses": many, "reason": "left"})
    body = answer.json()
    assert answer.status_code == 201 and (body["added"], body["known"], body["notAddresses"]) == (2, 2, 2)
    assert [one["field"] for one in body["details"]] == ["addresses.3", "addresses.4"] and "s3cret" not in answer.text
    assert (await http.post(URL, json={"addresses": ["u1@x.org"]})).status_code == 200
    assert (await http.get(f"{URL}/u1@x.org")).json()["suppression"]["reason"] == "reason 1"


async def test_a_long_list_is_taken(http):
    answer = await http.post(URL, json={"addresses": [f"u{n}@x.org" for n in range(30_000)]})
    assert answer.status_code == 201 and answer.json()["added"] == 30_000


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "address"),
        ({"address": "a@x.org", "addresses": ["b@x.org"]}, "address"),
        ({"address": "s3cret"}, "address"),
        ({"address": ""}, "address"),
        ({"address": 7}, "address"),
        ({"addresses": []}, "addresses"),
        ({"addresses": ["s3cret", "s3cret too"]}, "addresses.0"),
        ({"addresses": "a@x.org"}, "addresses"),
        ({"address": "a@x.org", "reason": "s3cret" * 100}, "reason"),
        ({"email": "a@x.org"}, "email"),
    ],
)
async def test_a_wrong_body_is_named_not_echoed(http, body, field):
    answer = await http.post(URL, json=body)
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == field
    assert "s3cret" not in answer.text and await keys(http) == []


async def test_search_and_filters(http, stored):
    assert await keys(http, q="U1@") == ["u1@x.org"] and len(await keys(http, q="@x.org")) == 10
    assert sorted(await keys(http, source="bounce")) == ["u0@x.org", "u1@x.org", "u2@x.org"]
    assert await keys(http, source="bounce", q="u2") == ["u2@x.org"]
    assert len(await keys(http, q="", source="", cursor="")) == 11
    await http.post(URL, json={"address": "jdoe@gmail.com"})
    assert await keys(http, q="J.Doe+x@gmail.com") == ["jdoe@gmail.com"]


async def test_pages_follow_the_cursor(http, stored):
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = (await http.get(URL, params={"limit": 4, "cursor": cursor})).json()
        assert body["total"] == 11
        seen += [one["key"] for one in body["suppressions"]]
        cursor = body["nextCursor"]
    assert len(seen) == len(set(seen)) == 11


@pytest.mark.parametrize(
    ("query", "field"),
    [({"source": "s3cret"}, "source"), ({"cursor": "s3cret"}, "cursor"), ({"limit": 0}, "limit"), ({"limit": 501}, "limit")],
)
async def test_a_wrong_filter_is_named_not_echoed(http, query, field):
    answer = await http.get(URL, params=query)
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == field
    assert "s3cret" not in answer.text


async def test_one_address_with_its_history_and_bounces(http, bench):
    bounces.record(bench.database, [BounceIn("d1", "ann@x.org", 5_000, "hard", "5.1.1", "user unknown", "<m@us.org>", "gone")])
    await http.delete(f"{URL}/ann@x.org", params={"reason": "a new mailbox"})
    await http.post(URL, json={"address": "Ann@x.org", "reason": "wrote to us"})
    found = (await http.get(f"{URL}/ANN@x.org")).json()["suppression"]
    assert (found["address"], found["key"], found["source"]) == ("Ann@x.org", "ann@x.org", "api")
    assert [(line["action"], line["reason"], line["source"]) for line in found["history"]] == [
        ("added", "wrote to us", "api"),
        ("removed", "a new mailbox", "api"),
        ("added", "hard bounce: 5.1.1 user unknown", "bounce"),
    ]
    said = {"kind": "hard", "status": "5.1.1", "diagnostic": "user unknown", "messageId": "<m@us.org>", "jobId": "gone"}
    assert found["bounces"] == [{"at": "1970-01-01T00:00:05.000Z", **said}]


@pytest.mark.parametrize(
    ("stored_as", "asked"),
    [
        ("ann@x.org", "Ann@X.ORG"),
        ("ann@x.org", quote(" <Ann@x.org> ", safe="")),
        ("jdoe@gmail.com", "j.doe+x@googlemail.com"),
        ("a/b@x.org", quote("A/b@x.org", safe="")),
        ("jörg@xn--mller-kva.de", quote("Jörg@Müller.de")),
    ],
)
async def test_every_way_to_write_an_address_finds_the_same(http, stored_as, asked):
    await http.post(URL, json={"address": stored_as})
    assert (await http.get(f"{URL}/{asked}")).json()["suppression"]["key"] == stored_as
    assert (await http.delete(f"{URL}/{asked}")).json() == {"success": True, "message": "The address may get mail again"}
    assert (await http.get(f"{URL}/{asked}")).status_code == 404


@pytest.mark.parametrize("asked", ["bob@x.org", "nonsense", "%20", "@", "x" * 900])
async def test_an_address_that_is_not_listed_is_404_without_an_echo(http, stored, asked):
    for method in ("GET", "DELETE"):
        answer = await http.request(method, f"{URL}/{asked}")
        assert answer.status_code == 404 and answer.json()["error"]["message"] == "This address is not suppressed"
    assert len(await keys(http)) == 11


async def test_there_is_no_call_that_removes_all(http, stored):
    assert (await http.delete(URL)).status_code == 405
    answer = await http.delete(f"{URL}/ann@x.org", params={"reason": "r" * 501})
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == "reason"


async def test_the_downloads_agree(http, stored, monkeypatch):
    monkeypatch.setattr(suppressions, "STREAM_ROWS", 5)
    raw = {kind: await http.get(f"{URL}.{kind}?q=") for kind in ("csv", "json", "parquet", "xlsx")}
    for kind, answer in raw.items():
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"].startswith('attachment; filename="suppressions-2')
        assert answer.headers["content-disposition"].endswith(f'.{kind}"')
    lines = list(csv.DictReader(io.StringIO(raw["csv"].text)))
    rows = raw["json"].json()
    table = pq.read_table(io.BytesIO(raw["parquet"].content))
    book = openpyxl.load_workbook(io.BytesIO(raw["xlsx"].content), read_only=True)
    sheet = list(book.worksheets[0].iter_rows(values_only=True))
    assert list(lines[0]) == list(rows[0]) == table.column_names == list(sheet[0]) == SCHEMA.names
    wanted = {one["key"] for one in rows}
    assert wanted == {line["key"] for line in lines} == set(table["key"].to_pylist()) == {row[1] for row in sheet[1:]}
    assert len(lines) == len(rows) == table.num_rows == len(sheet) - 1 == 11
    one = next(line for line in rows if line["key"] == "u3@x.org")
    assert (one["address"], one["reason"], one["source"], one["job_id"]) == ("U3@x.org", "reason 3", "manual", None)
    some = json.loads((await http.get(f"{URL}.json?source=bounce")).text)
    assert len(some) == 3 and (await http.get(f"{URL}.csv?source=x")).status_code == 422


async def test_the_calls_are_described(http):
    schema = (await http.get("/api/openapi.json")).json()
    assert set(schema["paths"]["/suppressions"]) == {"get", "post"}
    assert set(schema["paths"]["/suppressions/{address}"]) == {"get", "delete"}
    assert {f"/suppressions.{kind}" for kind in ("csv", "json", "parquet", "xlsx")} <= set(schema["paths"])
    assert set(schema["components"]["schemas"]["SuppressionBody"]["properties"]) == {"address", "addresses", "reason"}
