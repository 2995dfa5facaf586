"""Whatever goes wrong is answered with one envelope that names the field and echoes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api import limits
from tests.api.kinds import PROBE

SECRET = "zzsecretzz"


def envelope(answer) -> dict[str, Any]:
    body = answer.json()
    assert set(body) == {"success", "error"} and body["success"] is False
    assert set(body["error"]) == {"code", "message", "details"}
    assert all(set(detail) == {"field", "message"} for detail in body["error"]["details"])
    assert SECRET not in answer.text
    return dict(body["error"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"count": SECRET}, "count"),
        ({"count": 5, "gender": SECRET}, "gender"),
        ({"count": 5, "providers": [SECRET + " "]}, "providers.0"),
        ({"count": 5, "ageRange": SECRET}, "ageRange"),
        ({"count": 5, "pattern": "{" + SECRET + "}"}, "pattern"),
        ({"count": 5, "country": SECRET}, "country"),
        ({"count": 5, SECRET: 1}, SECRET),
        ({"count": 5, "seed": SECRET}, "seed"),
        ({"count": 5, "userId": SECRET * 50}, "userId"),
        ({"count": None}, "count"),
    ],
)
async def test_bad_parameters_are_named_and_not_echoed(http, body, field):
    for path, sent in (
        ("/api/generate-emails-job", body),
        ("/api/jobs", {"type": "generate-emails", "metadata": {"params": body}}),
    ):
        answer = await http.post(path, json=sent)
        assert answer.status_code == 422
        if field == SECRET:  # a field's name is said, its value is not
            assert answer.json()["error"]["details"][0]["field"] == SECRET
        elif field != "userId" or path != "/api/jobs":
            error = envelope(answer)
            assert any(detail["field"].startswith(field) for detail in error["details"]), error
    listed = await http.get("/api/jobs/list?stats=true")
    assert listed.json()["stats"]["total"] == 0, "no job may exist after a refusal"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"nul", b"\xff\xfe", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_400(http, body):
    for path in ("/api/jobs", "/api/generate-emails-job", "/api/session", "/api/jobs/cleanup"):
        answer = await http.post(path, content=body)
        assert answer.status_code == 400, (path, answer.text)
        assert envelope(answer)["code"] == "malformed_json"


async def test_unknown_places_and_methods(http):
    missing = await http.get(f"/api/{SECRET}")
    assert missing.status_code == 404 and envelope(missing)["code"] == "not_found"
    for path in (f"/api/jobs/{SECRET}/status", f"/api/jobs/{SECRET}/events", f"/api/jobs/{SECRET}/stream"):
        job = await http.get(path)
        assert job.status_code == 404 and envelope(job)["code"] == "not_found"
    for action in ("cancel", "pause", "resume", "rerun"):
        assert envelope(await http.post(f"/api/jobs/{SECRET}/{action}"))["code"] == "not_found"
    wrong = await http.put("/api/jobs/list")
    assert wrong.status_code == 405 and "GET" in wrong.headers["allow"]
    assert envelope(wrong)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "query", [f"limit={SECRET}", "limit=0", "limit=501", f"cursor={SECRET}", f"status={SECRET}", f"stats={SECRET}"]
)
async def test_bad_queries_name_the_field(http, query):
    answer = await http.get(f"/api/jobs/list?{query}")
    assert answer.status_code == 422
    assert envelope(answer)["details"][0]["field"] == query.partition("=")[0]


async def test_an_unknown_type_says_which_there_are(http):
    answer = await http.post("/api/jobs", json={"type": SECRET, "metadata": {"params": {}}})
    assert answer.status_code == 422
    error = envelope(answer)
    assert error["details"][0]["field"] == "type" and "generate-emails" in error["message"]
    nothing = await http.post("/api/jobs", json={})
    assert nothing.status_code == 422 and envelope(nothing)["details"][0]["field"] == "type"


async def test_a_body_too_large_is_413_announced_or_not(http, monkeypatch):
    announced = await http.post("/api/jobs", headers={"Content-Length": str(limits.MAX_BODY + 1)}, content=b"{}")
    assert announced.status_code == 413 and envelope(announced)["code"] == "body_too_large"

    async def endless():
        for _ in range(limits.MAX_BODY // 2**20 + 1):
            yield b" " * 2**20

    streamed = await http.post("/api/probe-things-job", content=endless())
    assert streamed.status_code == 413 and envelope(streamed)["code"] == "body_too_large"


async def test_a_mistake_of_ours_tells_nothing(http, monkeypatch):
    def broken(*_):
        raise RuntimeError(SECRET)

    monkeypatch.setattr("engine.api.jobs.stats", broken)
    answer = await http.get("/api/jobs/list?stats=true")
    assert answer.status_code == 500 and envelope(answer)["code"] == "internal_error"


@pytest.mark.slow
async def test_a_million_addresses_are_accepted(http):
    emails = [f"user{number}@example.com" for number in range(1_000_000)]
    answer = await http.post(f"/api/{PROBE.name}-job", json={"emails": emails}, timeout=120)
    assert answer.status_code == 201
    job = (await http.get(answer.json()["statusUrl"])).json()["job"]
    assert job["metadata"]["totalItems"] == 1_000_000 and "emails" not in job["metadata"]["params"]
