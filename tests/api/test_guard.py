"""What every request passes first: Host, origin, the open door; and the headers every answer carries."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from engine.api.guard import PAGE_POLICY, Guard
from engine.settings import Settings

OWN = {"Host": "127.0.0.1:8501"}


async def _talk(socket):
    await socket.accept()
    await socket.close()


def guarded(**settings) -> Starlette:
    page = Route("/", lambda _: PlainTextResponse("page"), methods=["GET", "POST", "DELETE"])
    configured = Settings(engine="off", **settings)
    return Starlette(routes=[page, WebSocketRoute("/ws", _talk)], middleware=[Middleware(Guard, settings=configured)])


def caller(server: str = "127.0.0.1", **settings) -> httpx.AsyncClient:
    """A client that reached us on this address of ours."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(guarded(**settings)), base_url=f"http://{server}:8501")


async def opens_socket(headers: dict[str, str]) -> bool:
    """Whether a WebSocket with these headers is accepted."""
    sent: list[str] = []
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "websocket",
        "path": "/ws",
        "headers": raw,
        "server": ("127.0.0.1", 8501),
        "query_string": b"",
        "root_path": "",
    }

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message["type"])

    await guarded()(scope, receive, send)
    return sent[0] == "websocket.accept"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8501", True),
        ("localhost:8501", True),
        ("LOCALHOST", True),
        ("localhost.:1", True),
        ("[::1]:8501", True),
        ("evil.example", False),
        ("evil.example:8501", False),
        ("127.0.0.1.evil.example", False),
        ("localhost@evil.example", False),
        ("localhost/evil", False),
        ("127.0.0.1:x", False),
        ("", False),
    ],
)
async def test_a_foreign_host_is_refused(host, allowed):
    answer = await caller().get("/", headers={"Host": host})
    assert answer.status_code == (200 if allowed else 400)
    if not allowed:
        assert answer.json()["error"]["code"] == "foreign_host"


async def test_names_can_be_allowed():
    more = caller(public_url="https://post.example.org/", allowed_hosts="one.example, two.example")
    for host in ("post.example.org", "one.example:99", "two.example"):
        assert (await more.get("/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:8501"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8501"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://127.0.0.1:3000"}, False),
        ({"Origin": "http://localhost:8501"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1"}, False),
    ],
)
async def test_a_write_from_another_origin_is_refused(headers, allowed):
    for method in ("POST", "DELETE"):
        answer = await caller().request(method, "/", headers={**OWN, **headers})
        assert answer.status_code == (200 if allowed else 403), headers
    assert (await caller().get("/", headers={**OWN, **headers})).status_code == 200, "reading is left to the browser's own rules"


async def test_the_public_address_is_an_own_origin():
    proxied = caller(public_url="https://post.example.org")
    assert (await proxied.post("/", headers={**OWN, "Origin": "https://post.example.org"})).status_code == 200
    assert (await proxied.post("/", headers={**OWN, "Origin": "https://post.example.org:444"})).status_code == 403


@pytest.mark.parametrize(
    "foreign", [{"Host": "evil.example"}, {**OWN, "Origin": "http://127.0.0.1:3000"}, {**OWN, "Origin": "null"}]
)
async def test_only_our_own_websocket_is_served(foreign):
    assert not await opens_socket(foreign)
    assert await opens_socket({**OWN, "Origin": "http://127.0.0.1:8501"})


async def test_an_address_others_can_reach_needs_a_lock():
    assert (await caller("192.168.1.5").get("/", headers=OWN)).json()["error"]["code"] == "no_lock"
    assert (await caller("192.168.1.5", api_token="t").get("/", headers=OWN)).status_code == 200


async def test_every_answer_carries_the_headers(http: httpx.AsyncClient):
    for path in ("/api/health", "/api/nowhere", "/api/openapi.json", "/nowhere"):
        headers = (await http.get(path)).headers
        assert headers["content-security-policy"] == PAGE_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
    refused = await http.get("/api/health", headers={"Host": "evil.example"})
    assert "img-src 'self' data: blob:;" in refused.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in refused.headers["content-security-policy"]
