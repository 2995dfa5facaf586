"""With POSTBENCH_API_TOKEN set, the API needs the token or a session cookie."""

from __future__ import annotations

import pytest

from engine.access import COOKIE, SESSION_SECONDS, TICKET_SECONDS, mint
from engine.settings import Settings

TOKEN = "correct horse"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def configured(tmp_path):
    return Settings(data_dir=tmp_path, engine="off", api_token=TOKEN)


@pytest.mark.parametrize(
    "path",
    ["/api/jobs/list", "/api/docs", "/api/openapi.json", "/api/metrics", "/api/nowhere", "/api/static/swagger-ui.css", "/api/"],
)
async def test_strangers_are_refused(http, path):
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": f"{COOKIE}=99999999999.x"},
    ):
        answer = await http.get(path, headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["error"]["code"] == "unauthorized"
    assert (await http.get(path, headers=BEARER)).status_code != 401
    assert (await http.post("/api/jobs", json={"type": "x"})).status_code == 401


async def test_health_tells_a_stranger_only_whether_all_is_well(http):
    assert (await http.get("/api/health")).json() == {"success": False, "status": "down"}
    known = (await http.get("/api/health", headers=BEARER)).json()
    assert {"version", "database", "engines"} < set(known)


async def test_a_ticket_becomes_a_cookie(http, bench):
    ticket = mint(bench.vault, "ticket", TICKET_SECONDS)
    answer = await http.post("/api/session", json={"ticket": ticket})
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 200 and f"Max-Age={SESSION_SECONDS}" in cookie
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and "Secure" not in cookie
    assert (await http.get("/api/jobs/list")).status_code == 200, "the client keeps the cookie"
    gone = await http.delete("/api/session")
    assert gone.status_code == 200 and (await http.get("/api/jobs/list")).status_code == 401


async def test_only_a_live_ticket_of_ours_counts(http, bench):
    ended, session = mint(bench.vault, "ticket", -1), mint(bench.vault, "session", 60)
    for ticket in (ended, session, "nonsense", f"9{mint(bench.vault, 'ticket', 60)}"):
        assert (await http.post("/api/session", json={"ticket": ticket})).status_code == 401
    assert (await http.post("/api/session", json={})).status_code == 422
    as_cookie = mint(bench.vault, "ticket", 60)
    assert (await http.get("/api/jobs/list", headers={"Cookie": f"{COOKIE}={as_cookie}"})).status_code == 401
