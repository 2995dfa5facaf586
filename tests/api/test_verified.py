"""Verified addresses over HTTP: search, look, download, forget; and the same from Python."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import quote

import httpx
import openpyxl
import pyarrow.parquet as pq
import pytest

from engine.api.verified import SCHEMA
from engine.client import Client
from engine.durable import verdict_pages, verdicts
from engine.durable.verdicts import Fresh
from engine.errors import ClientError
from tests.api.kinds import complete
from tests.api.test_jobs import submit

URL = "/api/verified-emails"
SECOND = 1_000


def fresh(address: str, status: str = "valid", at: int = 0, reason: str = "mailbox_exists", **more) -> Fresh:
    values = {"level": "mailbox", "score": 95, "data": {"mx": "mx.x.org", "catchAll": False}, "job_id": None, "service": "smtp"}
    return Fresh(address=address, status=status, reason=reason, checked_at=at * SECOND, **{**values, **more})


@pytest.fixture
def stored(bench):
    """u0@x.org … u9@x.org, oldest first, the first three risky; two elsewhere."""
    users = [
        fresh(f"u{n}@x.org", "risky" if n < 3 else "valid", 100 + n, "catch_all" if n < 3 else "mailbox_exists")
        for n in range(10)
    ]
    others = [fresh("=sum(a1)@y.org", at=50), fresh("late@z.org", "unknown", 10, "timeout", level="domain", data={}, score=20)]
    verdicts.save(bench.database, users + others)


async def addresses(http, **query) -> list[str]:
    answer = await http.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["success"] and body["count"] == len(body["verifiedEmails"]) <= body["total"]
    return [one["address"] for one in body["verifiedEmails"]]


async def test_nothing_is_known_at_first(http):
    expected = {"success": True, "verifiedEmails": [], "count": 0, "nextCursor": None, "total": 0}
    assert (await http.get(URL)).json() == expected
    assert (await http.get(f"{URL}.csv")).text == ",".join(SCHEMA.names) + "\n"


async def test_an_address_has_all_that_is_known(http, bench):
    verdicts.save(bench.database, [fresh("ann@x.org", at=1_700_000_000, job_id="gone")])
    body = (await http.get(URL)).json()
    created = body["verifiedEmails"][0].pop("createdAt")
    assert created.endswith("Z") and created == body["verifiedEmails"][0].pop("updatedAt")
    assert body["verifiedEmails"] == [
        {
            "address": "ann@x.org",
            "status": "valid",
            "reason": "mailbox_exists",
            "level": "mailbox",
            "score": 95,
            "verificationData": {"mx": "mx.x.org", "catchAll": False},
            "lastVerifiedAt": "2023-11-14T22:13:20.000Z",
            "verificationCount": 1,
            "jobId": "gone",
        }
    ]


async def test_search_and_filters(http, stored):
    assert await addresses(http, q="U1") == ["u1@x.org"]
    assert await addresses(http, q="@z.org") == ["late@z.org"]
    assert await addresses(http, status="risky") == ["u2@x.org", "u1@x.org", "u0@x.org"]
    assert await addresses(http, reason="catch_all", q="u2") == ["u2@x.org"]
    assert await addresses(http, level="domain") == ["late@z.org"]
    assert len(await addresses(http, q="", status="", reason="", level="", cursor="")) == 12


async def test_pages_follow_the_cursor(http, stored):
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = (await http.get(URL, params={"limit": 5, "cursor": cursor})).json()
        assert body["total"] == 12
        seen += [one["address"] for one in body["verifiedEmails"]]
        cursor = body["nextCursor"]
    assert seen == [f"u{n}@x.org" for n in range(9, -1, -1)] + ["=sum(a1)@y.org", "late@z.org"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "s3cret"}, "status"),
        ({"reason": "s3cret"}, "reason"),
        ({"level": "s3cret"}, "level"),
        ({"cursor": "s3cret"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
    ],
)
async def test_a_wrong_filter_is_named_not_echoed(http, query, field):
    answer = await http.get(URL, params=query)
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == field
    assert "s3cret" not in answer.text


async def test_one_address_with_its_history(http, bench):
    job_id = await submit(http)
    complete(bench, job_id)
    kind = (await http.get(f"/api/jobs/{job_id}/status")).json()["job"]["type"]
    verdicts.save(bench.database, [fresh("ann@x.org", at=5, job_id=job_id)])
    verdicts.save(bench.database, [fresh("ann@x.org", "unknown", 9, "timeout", job_id="gone", service="dns", level="domain")])
    found = (await http.get(f"{URL}/ann@x.org")).json()["verifiedEmail"]
    assert (found["status"], found["verificationCount"], found["jobId"]) == ("valid", 2, job_id)
    second = {"service": "dns", "status": "unknown", "reason": "timeout", "level": "domain"}
    first = {"service": "smtp", "status": "valid", "reason": "mailbox_exists", "level": "mailbox"}
    assert found["history"] == [
        {"at": "1970-01-01T00:00:09.000Z", "jobId": "gone", "jobType": None, **second},
        {"at": "1970-01-01T00:00:05.000Z", "jobId": job_id, "jobType": kind, **first},
    ]


@pytest.mark.parametrize(
    ("stored_as", "asked"),
    [
        ("ann@x.org", "Ann@X.ORG"),
        ("ann@x.org", quote("ann@x.org", safe="")),
        ("ann@x.org", quote(" <Ann@x.org> ", safe="")),
        ("a/b@x.org", "a/b@x.org"),
        ("a/b@x.org", quote("A/b@x.org", safe="")),
        ("a+b%c@x.org", quote("a+b%c@x.org", safe="")),
        ("who?@x.org", quote("who?@x.org", safe="")),
        ("jörg@xn--mller-kva.de", quote("Jörg@Müller.de")),
    ],
)
async def test_every_way_to_write_an_address_finds_the_same(http, bench, stored_as, asked):
    verdicts.save(bench.database, [fresh(stored_as)])
    assert (await http.get(f"{URL}/{asked}")).json()["verifiedEmail"]["address"] == stored_as
    assert (await http.delete(f"{URL}/{asked}")).json() == {"success": True, "message": "The address was forgotten"}
    assert (await http.get(f"{URL}/{asked}")).status_code == 404


@pytest.mark.parametrize("asked", ["bob@x.org", "nonsense", "a@b@c", "%20", "@", "x" * 900])
async def test_an_address_never_verified_is_404_without_an_echo(http, stored, asked):
    for method in ("GET", "DELETE"):
        answer = await http.request(method, f"{URL}/{asked}")
        assert answer.status_code == 404 and answer.json()["error"]["message"] == "This address was never verified"
    assert len(await addresses(http)) == 12


async def test_no_address_at_all_deletes_nothing(http, stored):
    answer = await http.delete(f"{URL}/", follow_redirects=True)
    assert answer.status_code in (404, 422) and len(await addresses(http)) == 12


async def test_forgetting_many_needs_a_filter(http, stored):
    for query in ({}, {"q": "", "status": ""}):
        answer = await http.delete(URL, params=query)
        assert answer.status_code == 422
        assert "olderThanDays" in answer.json()["error"]["message"] and "status" in answer.json()["error"]["message"]
    for days in ("-1", "x", "inf", "nan", "99999999999"):
        answer = await http.delete(URL, params={"olderThanDays": days})
        assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == "olderThanDays"
    assert len(await addresses(http)) == 12


async def test_forgetting_many(http, stored, bench):
    assert (await http.delete(URL, params={"status": "unknown"})).json() == {"success": True, "deleted": 1}
    assert (await http.delete(URL, params={"status": "risky", "q": "u1"})).json()["deleted"] == 1
    verdicts.save(bench.database, [fresh("new@x.org", at=10**10)])
    assert (await http.delete(URL, params={"olderThanDays": 30})).json()["deleted"] == 10
    assert await addresses(http) == ["new@x.org"]


async def test_the_downloads_agree(http, stored, monkeypatch):
    monkeypatch.setattr(verdict_pages, "STREAM_ROWS", 5)
    raw = {kind: await http.get(f"{URL}.{kind}") for kind in ("csv", "json", "parquet", "xlsx")}
    for kind, answer in raw.items():
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"].startswith('attachment; filename="verified-emails-2')
        assert answer.headers["content-disposition"].endswith(f'.{kind}"')
    lines = list(csv.DictReader(io.StringIO(raw["csv"].text)))
    rows = raw["json"].json()
    table = pq.read_table(io.BytesIO(raw["parquet"].content))
    sheet = list(
        openpyxl.load_workbook(io.BytesIO(raw["xlsx"].content), read_only=True).worksheets[0].iter_rows(values_only=True)
    )
    assert len(lines) == len(rows) == table.num_rows == len(sheet) - 1 == 12
    assert list(lines[0]) == list(rows[0]) == table.column_names == list(sheet[0]) == SCHEMA.names
    wanted = {one["address"] for one in rows}
    assert wanted == {line["address"] for line in lines} == set(table["address"].to_pylist()) == {row[0] for row in sheet[1:]}
    one = next(line for line in lines if line["address"] == "u9@x.org")
    assert json.loads(one["verification_data"]) == {"mx": "mx.x.org", "catchAll": False}
    assert one["last_verified_at"] == "1970-01-01T00:01:49.000Z" and one["verification_count"] == "1" and one["job_id"] == ""


async def test_a_workbook_holds_formulas_as_text(http, stored):
    book = openpyxl.load_workbook(io.BytesIO((await http.get(f"{URL}.xlsx?q=sum")).content))
    cell = book.worksheets[0].cell(2, 1)
    assert cell.value == "=sum(a1)@y.org" and cell.data_type == "s"


async def test_a_download_takes_the_same_filters(http, stored):
    assert [one["address"] for one in (await http.get(f"{URL}.json?status=risky&q=u")).json()] == [
        "u2@x.org",
        "u1@x.org",
        "u0@x.org",
    ]
    assert (await http.get(f"{URL}.csv?status=x")).status_code == 422
    assert (await http.get(f"{URL}.txt")).status_code == 404


async def test_the_calls_are_described(http):
    schema = (await http.get("/api/openapi.json")).json()
    assert set(schema["paths"]["/verified-emails"]) == {"get", "delete"}
    assert set(schema["paths"]["/verified-emails/{address}"]) == {"get", "delete"}
    assert {f"/verified-emails.{kind}" for kind in ("csv", "json", "parquet", "xlsx")} <= set(schema["paths"])
    query = {one["name"] for one in schema["paths"]["/verified-emails"]["get"]["parameters"]}
    assert query == {"q", "status", "reason", "level", "limit", "cursor"}


def test_the_client_walks_through_the_pages_and_forgets():
    sent: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if request.method == "DELETE":
            found = len(sent) < 4
            error = {"error": {"code": "not_found", "message": "This address was never verified"}}
            return httpx.Response(200 if found else 404, json={"success": True, "message": "ok"} if found else error)
        last = "cursor" in request.url.params
        return httpx.Response(200, json={"verifiedEmails": [{"address": f"{last}@x.org"}], "nextCursor": None if last else "c"})

    with Client("http://server", transport=httpx.MockTransport(serve)) as client:
        found = list(client.verified(q="x", status="valid", level=None))
        assert [one["address"] for one in found] == ["False@x.org", "True@x.org"]
        assert dict(sent[1].url.params) == {"q": "x", "status": "valid", "cursor": "c"}
        client.forget("a/b+c@x.org")
        assert sent[2].url.raw_path == b"/api/verified-emails/a%2Fb%2Bc@x.org"
        with pytest.raises(ClientError, match="never verified"):
            client.forget("bob@x.org")
