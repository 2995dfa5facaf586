"""The fetcher's guard: with private networks closed nothing leads to a private target, no page and no name server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.net.guard import is_public
from engine.net.http import Outcome
from tests.lab.web import WebServer
from tests.lab.web_pages import Page, redirect, text
from tests.net.fetching import PUBLIC, fetcher, internet, names

LITERALS = """
    127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0x7f.1 0177.0.0.1 017700000001 0177.1 127.0.0.1. 127.0.0.01 0 0.0.0.0
    10.0.0.1 10.1 172.16.0.1 192.168.1.1 169.254.169.254 2852039166 0xa9fea9fe 100.64.0.1 198.18.0.1 224.0.0.1 255.255.255.255
    [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1]
    [64:ff9b::7f00:1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::] [fc00::1] [fd00:ec2::254] [fe80::1] [fe80::1%25lo]
    [ff02::1] [3fff::1] localhost LOCALHOST localhost. a.localhost
    127.0.0.1.nip.test １２７.０.０.１ 127。0。0。1 ①②⑦.⓪.⓪.① ⓛocalhost
""".split()
PORTS = ("", ":80", ":443", ":22", ":6379", ":8080")


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def connections(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every connection that the fetcher opens, by address and port."""
    return internet(monkeypatch, web.port)


async def test_no_way_to_write_a_private_address_leads_there(connections: list[tuple[str, int]]) -> None:
    async with fetcher(private=False, resolve=names({})) as ours:
        for literal in LITERALS:
            for port in PORTS:
                for scheme in ("http", "https"):
                    got = await ours.fetch(f"{scheme}://{literal}{port}/")
                    assert got.outcome == Outcome.REFUSED and got.detail, got
    assert connections == []


async def test_no_redirect_leads_to_a_private_address(web: WebServer, connections: list[tuple[str, int]]) -> None:
    targets = [f"{scheme}://{literal}/" for scheme in ("http", "https") for literal in LITERALS]
    pages = {f"/{n}": redirect(url.encode().decode("latin-1")) for n, url in enumerate(targets)}
    web.add("evil.example", pages)
    async with fetcher(private=False, resolve=names({"evil.example": [PUBLIC]})) as ours:
        for n, url in enumerate(targets):
            got = await ours.fetch(f"http://evil.example/{n}")
            assert got.outcome == Outcome.REFUSED and got.redirects == (f"http://evil.example/{n}",), url
    assert {host for host, _ in connections} == {PUBLIC}
    assert web.asked("evil.example") == len(targets) + 1


async def test_robots_redirected_to_a_private_address_are_not_read_there(
    web: WebServer, connections: list[tuple[str, int]]
) -> None:
    web.add("evil.example", {"/robots.txt": redirect("http://169.254.169.254/latest/meta-data"), "/": "x"})
    async with fetcher(private=False, resolve=names({"evil.example": [PUBLIC]})) as ours:
        assert (await ours.fetch("http://evil.example/")).outcome == Outcome.REFUSED
    assert connections == [(PUBLIC, 80)] and web.asked("evil.example", "/") == 0


async def test_a_name_that_changes_its_address_gains_nothing(web: WebServer, connections: list[tuple[str, int]]) -> None:
    """The first answer is public, every later one private: each new connection is vetted anew, and goes to what was vetted."""
    web.add("evil.example", {"/robots.txt": text(""), "/": Page("x", fault="closing"), "/again": "secret"})
    async with fetcher(private=False, resolve=names({"evil.example": [PUBLIC, "127.0.0.1"]})) as ours:
        assert (await ours.fetch("http://evil.example/")).outcome == Outcome.OK
        for _ in range(3):
            got = await ours.fetch("http://evil.example/again")
            assert got.outcome == Outcome.REFUSED and "no public address" in got.detail
    assert connections == [(PUBLIC, 80)] and web.asked("evil.example", "/again") == 0


async def test_only_the_ports_of_the_web_are_used(connections: list[tuple[str, int]]) -> None:
    async with fetcher(private=False, resolve=names({"a.example": [PUBLIC]})) as ours:
        for port in (21, 22, 25, 81, 3306, 8080, 8443, 65_535):
            got = await ours.fetch(f"http://a.example:{port}/")
            assert got.outcome == Outcome.REFUSED and "80, 443" in got.detail
        assert connections == []
        await ours.fetch("http://a.example:443/")
        assert connections == [(PUBLIC, 443)]


async def test_everything_connected_to_is_public(web: WebServer, connections: list[tuple[str, int]]) -> None:
    mixed = {"mixed.example": [PUBLIC], "six.example": ["2606:2800:220:1::1"], "mapped.example": [f"::ffff:{PUBLIC}"]}
    web.add("mixed.example", {"/": "x"})
    async with fetcher(private=False, resolve=names(mixed)) as ours:
        found = [(await ours.fetch(f"http://{host}/")).outcome for host in mixed]
    assert found == [Outcome.OK, Outcome.UNREACHABLE, Outcome.REFUSED]
    assert connections and all(is_public(host) for host, _ in connections)


async def test_private_networks_can_be_opened(web: WebServer) -> None:
    web.add("127.0.0.1", {"/": "x"})
    async with fetcher() as ours:
        assert (await ours.fetch(web.url("127.0.0.1"))).outcome == Outcome.OK
        assert (await ours.fetch(f"http://2130706433:{web.port}/")).outcome == Outcome.REFUSED
