"""Jobs over HTTP: submit, look, list, act."""

from __future__ import annotations

import asyncio
from typing import Any

import pyarrow as pa
import pytest

from engine.durable.chunks import encode
from engine.durable.commit import Finished, Part, commit
from engine.durable.contract import Done
from engine.durable.queries import get
from engine.durable.states import Status
from engine.durable.totals import Totals
from tests.api.kinds import BATCH, ENGINE, PROBE, complete, take, work

JOB_KEYS = {
    "id", "type", "status", "progress", "metadata", "resultData", "errorMessage", "userId", "createdAt", "updatedAt",
    "startedAt", "completedAt", "runAfter",
}  # fmt: skip
FIGURES = {
    "totalItems", "processedItems", "successCount", "failedCount", "counts", "tallies", "ratePerSecond", "etaSeconds",
    "checkpoint",
}  # fmt: skip


async def submit(http, **more) -> str:
    answer = await http.post("/api/jobs", json={"type": PROBE.name, "metadata": {"params": {"howMany": 25}}, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["jobId"])


async def job_of(http, job_id: str) -> dict[str, Any]:
    answer = await http.get(f"/api/jobs/{job_id}/status")
    assert answer.status_code == 200 and answer.json()["success"] is True
    return dict(answer.json()["job"])


async def test_a_submitted_job_is_answered_with_its_place(http):
    answer = await http.post("/api/jobs", json={"type": PROBE.name, "metadata": {"params": {}}})
    body = answer.json()
    assert answer.status_code == 201
    assert set(body) == {"success", "jobId", "message"}
    assert answer.headers["location"] == f"/api/jobs/{body['jobId']}/status"
    assert (await http.get(answer.headers["location"])).json()["job"]["status"] == "pending"


async def test_the_job_has_exactly_the_promised_fields(http, bench):
    job_id = await submit(http, userId="ann", runAfter="2020-01-01T01:00:00+01:00")
    fresh = await job_of(http, job_id)
    assert set(fresh) == JOB_KEYS
    assert set(fresh["metadata"]) == FIGURES | {"params", "partialResults"}
    assert fresh["userId"] == "ann" and fresh["runAfter"] == "2020-01-01T00:00:00.000Z"
    assert fresh["resultData"] is None and fresh["progress"] == 0
    work(bench, job_id, [1])
    half = await job_of(http, job_id)
    assert half["status"] == "running" and half["progress"] == 40.0
    assert half["metadata"]["checkpoint"] == {"batchIndex": 1, "batches": 3}
    assert half["metadata"]["counts"] == {"valid": 10} and half["metadata"]["tallies"] == {"age": {"20": 10}}
    assert len(half["metadata"]["partialResults"]) == 10
    assert half["metadata"]["partialResults"][0]["seen"] == "2026-01-02T03:04:10.500Z"
    assert half["metadata"]["params"] == {"howMany": 25}
    assert half["startedAt"].endswith("Z")


async def test_result_data_of_a_completed_job(http, bench):
    job_id = await submit(http)
    complete(bench, job_id)
    result = (await job_of(http, job_id))["resultData"]
    assert set(result) == {"success", "data", "truncated", "resultsUrl"}
    assert result["success"] is True and result["truncated"] is False
    assert len(result["data"]["emails"]) == 25 and result["data"]["emails"][0] == "user0@example.com"
    assert result["data"]["processedItems"] == 25
    assert (await http.get(result["resultsUrl"])).json()["total"] == 25


async def test_emails_are_cut_at_the_limit(http, bench, monkeypatch):
    monkeypatch.setattr("engine.api.excerpts.MAX_EMAILS", 12)
    job_id = await submit(http)
    complete(bench, job_id)
    result = (await job_of(http, job_id))["resultData"]
    assert len(result["data"]["emails"]) == 12 and result["truncated"] is True


async def test_a_list_of_numbers_instead_of_addresses_is_shown_too(http, bench):
    """Its column of addresses comes back as it was given."""
    job_id = await submit(http)
    job, lease = get(bench.database, job_id), take(bench, job_id)
    numbers = pa.table({"email": [5, None, 7], "status": ["failed"] * 3})
    totals = Totals.of(job).plus([Done(numbers, 0, 3, {"failed": 3})])
    finished = [Finished(0, BATCH, encode(numbers))]
    part = Part(job_id, job.type, lease, ENGINE, totals, finished, outcome=Status.FAILED, reason="done")
    assert commit(bench.database, [part]) == {job_id}
    told = await job_of(http, job_id)
    assert [row["email"] for row in told["metadata"]["partialResults"]] == [5, None, 7]
    assert told["resultData"]["data"]["emails"] == ["5", "7"]


async def test_a_cancelled_job_keeps_what_was_committed(http, bench):
    with_rows, without = await submit(http), await submit(http)
    work(bench, with_rows, [0])
    for job_id in (with_rows, without):
        answer = await http.post(f"/api/jobs/{job_id}/cancel")
        assert answer.status_code == 200 and set(answer.json()) == {"success", "message"}
    kept = (await job_of(http, with_rows))["resultData"]
    assert kept["success"] is False and len(kept["data"]["emails"]) == 10
    assert (await job_of(http, without))["resultData"] is None
    again = await http.post(f"/api/jobs/{with_rows}/cancel")
    assert again.status_code == 409 and again.json()["error"]["code"] == "wrong_state"


async def test_pause_resume_rerun_delete(http, bench):
    job_id = await submit(http, runAfter="2999-01-01T00:00:00Z")
    assert (await http.post(f"/api/jobs/{job_id}/pause")).status_code == 200
    assert (await job_of(http, job_id))["status"] == "paused"
    assert (await http.delete(f"/api/jobs/{job_id}")).status_code == 409
    assert (await http.post(f"/api/jobs/{job_id}/resume")).status_code == 200
    resumed = await job_of(http, job_id)
    assert resumed["status"] == "pending" and resumed["runAfter"] is None
    complete(bench, job_id)
    assert (await http.post(f"/api/jobs/{job_id}/resume")).status_code == 409
    again = await http.post(f"/api/jobs/{job_id}/rerun")
    assert again.status_code == 201 and again.json()["jobId"] != job_id
    assert (await http.delete(f"/api/jobs/{job_id}")).json()["success"] is True
    for gone in ("status", "stream", "events", "results", "results.csv"):
        assert (await http.get(f"/api/jobs/{job_id}/{gone}")).status_code == 404, gone


async def test_rerun_asks_for_a_secret_it_does_not_have(http, bench):
    job_id = await submit(http, metadata={"params": {"howMany": 7, "apiKey": "hunter2-secret"}})
    assert "hunter2" not in (await http.get(f"/api/jobs/{job_id}/status")).text
    complete(bench, job_id)
    answer = await http.post(f"/api/jobs/{job_id}/rerun")
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == "apiKey"


async def test_the_timeline_tells_every_change(http, bench):
    job_id = await submit(http)
    complete(bench, job_id)
    body = (await http.get(f"/api/jobs/{job_id}/events")).json()
    assert [(e["from"], e["to"]) for e in body["events"]] == [(None, "pending"), ("pending", "running"), ("running", "completed")]
    assert all(set(event) == {"at", "from", "to", "reason", "engine"} for event in body["events"])


async def test_listing_pages_filters_and_counts(http, bench):
    ids = [await submit(http, userId=f"u{n % 2}") for n in range(5)]
    complete(bench, ids[0])
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await http.get(f"/api/jobs/list?limit=2&cursor={cursor}&type=&status=&q=&userId=")).json()
        assert page["count"] == len(page["jobs"]) and set(page) == {"success", "jobs", "count", "nextCursor"}
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["nextCursor"]
    assert sorted(seen) == sorted(ids)
    listed = (await http.get("/api/jobs/list?status=completed")).json()["jobs"]
    assert [job["id"] for job in listed] == [ids[0]]
    assert set(listed[0]) == JOB_KEYS and set(listed[0]["metadata"]) == FIGURES
    assert (await http.get("/api/jobs/list?userId=u1")).json()["count"] == 2
    assert (await http.get(f"/api/jobs/list?q={ids[3][:8]}")).json()["jobs"][0]["id"] == ids[3]
    assert (await http.get("/api/jobs/list?q=howMany")).json()["count"] == 5
    assert (await http.get("/api/jobs/list?type=generate-emails")).json()["count"] == 0
    stats = (await http.get("/api/jobs/list?stats=true")).json()
    assert stats == {
        "success": True,
        "stats": {"total": 5, "pending": 4, "running": 0, "paused": 0, "completed": 1, "failed": 0, "cancelled": 0},
    }


async def test_cleanup_deletes_only_what_has_ended(http, bench):
    ended, alive = await submit(http), await submit(http)
    complete(bench, ended)
    assert (await http.post("/api/jobs/cleanup", json={"olderThanDays": 30})).json() == {"success": True, "deleted": 0}
    assert (await http.post("/api/jobs/cleanup", json={"olderThanDays": 0})).json() == {"success": True, "deleted": 1}
    assert (await job_of(http, alive))["status"] == "pending"
    for wrong in (-1, "x", 1e999, None, True):
        answer = await http.post("/api/jobs/cleanup", content=f'{{"olderThanDays": {wrong!r}}}'.replace("'", '"'))
        assert answer.status_code in (400, 422), wrong


@pytest.mark.parametrize("path", ["/api/jobs", "/api/probe-things-job"])
async def test_an_idempotency_key_makes_one_job(http, path):
    def body(number: int) -> dict[str, Any]:
        params = {"howMany": number}
        return {"type": PROBE.name, "metadata": {"params": params}} if path == "/api/jobs" else params

    key = {"Idempotency-Key": "k1"}
    first = await http.post(path, json=body(5), headers=key)
    second = await http.post(path, json=body(5), headers=key)
    other = await http.post(path, json=body(6), headers=key)
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["jobId"] == second.json()["jobId"]
    assert other.json()["error"]["code"] == "idempotency_conflict"
    too_long = await http.post(path, json=body(5), headers={"Idempotency-Key": "k" * 201})
    assert too_long.status_code == 422


async def test_an_idempotency_key_makes_one_rerun_even_in_a_race(http, bench):
    job_id = await submit(http)
    complete(bench, job_id)
    key = {"Idempotency-Key": "again"}
    answers = await asyncio.gather(*(http.post(f"/api/jobs/{job_id}/rerun", headers=key) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["jobId"] for answer in answers}) == 1


async def test_one_call_per_type(http, bench):
    answer = await http.post("/api/probe-things-job", json={"emails": ["a@x.org", {"email": "b@x.org", "team": "red"}]})
    body = answer.json()
    assert answer.status_code == 201 and set(body) == {"success", "jobId", "streamUrl", "statusUrl"}
    assert (await http.get(body["statusUrl"])).json()["job"]["metadata"]["totalItems"] == 2
    columns = [column["name"] for column in (await http.get(f"/api/jobs/{body['jobId']}/results")).json()["columns"]]
    assert columns == ["input_email", "team", "email", "status", "score", "rank", "fine", "seen"]


async def test_from_job_takes_another_jobs_rows(http, bench):
    source = await submit(http)
    not_yet = await http.post("/api/probe-things-job", json={"fromJob": source})
    assert not_yet.status_code == 422 and not_yet.json()["error"]["details"][0]["field"] == "fromJob"
    complete(bench, source)
    whole = (await http.post("/api/probe-things-job", json={"fromJob": source})).json()["jobId"]
    part = (await http.post("/api/probe-things-job", json={"fromJob": {"id": source, "where": "status:invalid"}})).json()["jobId"]
    assert get(bench.database, whole).total_items == 25 and get(bench.database, part).total_items == 3
    refused: tuple[Any, ...] = (5, "", {"where": "x"}, {"id": source, "where": "nonsense"}, "nosuchjob", [])
    for wrong in refused:
        answer = await http.post("/api/probe-things-job", json={"fromJob": wrong})
        assert answer.status_code == 422, wrong
        assert answer.json()["error"]["details"][0]["field"].startswith(("fromJob", "where")), wrong


@pytest.mark.parametrize("wrong", ["tomorrow", 5, "2020-13-01", "", [], "0001-01-01T00:00:00+14:00"])
async def test_a_moment_that_is_none_is_refused_by_name(http, wrong):
    answer = await http.post("/api/probe-things-job", json={"runAfter": wrong})
    assert answer.status_code == 422 and answer.json()["error"]["details"][0]["field"] == "runAfter"


async def test_a_naive_moment_is_utc(http):
    job_id = await submit(http, runAfter="2030-01-31T08:00:00")
    assert (await job_of(http, job_id))["runAfter"] == "2030-01-31T08:00:00.000Z"


async def test_a_failed_job_says_why(http, bench):
    job_id = await submit(http)
    work(bench, job_id, [0], Status.FAILED, "The disk is full")
    job = await job_of(http, job_id)
    assert job["status"] == "failed" and job["errorMessage"] == "The disk is full"
