"""The fetcher's manners: one connection and one fetch at a time for a host, pauses between them, a cap over all hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from engine.net import http_lanes
from engine.net.http import Outcome
from tests.lab.web import WebServer
from tests.lab.web_pages import Page, redirect, text
from tests.net.fetching import QUICK, Clock, fetcher, until

HOST = "a.test"
PAGES: dict[str, Page | str | bytes] = {"/robots.txt": text(""), **{f"/{n}": f"page {n}" for n in range(8)}}


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer({HOST: PAGES}) as server:
        yield server


async def test_a_host_has_one_connection_and_one_fetch_at_a_time(web: WebServer) -> None:
    web.delay = 0.005
    async with fetcher() as ours:
        found = await asyncio.gather(*(ours.fetch(web.url(HOST, f"/{n}")) for n in range(8)))
    assert [page.outcome for page in found] == [Outcome.OK] * 8
    assert (web.peak[HOST], web.busiest, web.accepted) == (1, 1, 1)
    assert web.order(HOST) == ["/robots.txt", *(f"/{n}" for n in range(8))], "first come, first served"
    assert not web.violations


async def test_errors_and_redirects_keep_the_connection(web: WebServer) -> None:
    web.add(HOST, {"/": redirect("/gone"), "/gone": Page("gone", 410), "/x": Page("not here", 404, chunked=True), "/ok": "x"})
    async with fetcher() as ours:
        for path in ("/", "/x", "/ok"):
            await ours.fetch(web.url(HOST, path))
    assert web.accepted == 1 and web.asked(HOST) == 5


async def test_a_connection_that_the_server_closed_is_made_anew(web: WebServer) -> None:
    web.add(HOST, {"/": Page("x", fault="closing"), "/2": "x"})
    async with fetcher() as ours:
        for path in ("/", "/2", "/", "/", "/2"):
            assert (await ours.fetch(web.url(HOST, path))).outcome == Outcome.OK
    assert web.peak[HOST] == 1 and not web.violations


async def test_hosts_are_asked_side_by_side_up_to_the_cap(web: WebServer) -> None:
    hosts = [f"h{n}.test" for n in range(12)]
    for host in hosts:
        web.add(host, PAGES)
    async with fetcher(concurrency=4) as ours:
        with web.holding():
            fetching = [asyncio.create_task(ours.fetch(web.url(host, "/1"))) for host in hosts]
            await until(lambda: web.busiest == 4)
        await asyncio.gather(*fetching)
    assert web.busiest == 4
    assert all(web.peak[host] == 1 for host in hosts)


async def test_a_slow_host_does_not_hold_up_another(web: WebServer) -> None:
    web.add("slow.test", {"/robots.txt": text(""), "/": Page(fault="silence")})
    async with fetcher() as ours:
        slow = [asyncio.create_task(ours.fetch(web.url("slow.test"))) for _ in range(20)]
        await until(lambda: web.asked("slow.test", "/"))
        assert (await ours.fetch(web.url(HOST, "/1"))).outcome == Outcome.OK
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_the_delay_passes_between_any_two_requests_to_a_host(web: WebServer) -> None:
    web.add(HOST, {**PAGES, "/r": redirect("/1")})
    clock = Clock()
    async with fetcher(delay=2.0, clock=clock, sleep=clock.sleep) as ours:
        await ours.fetch(web.url(HOST, "/r"))
        assert clock.slept == [2.0, 2.0], "robots.txt, the redirect, the page"
        clock.now += 1.5
        await ours.fetch(web.url(HOST, "/2"))
        assert clock.slept[2:] == [0.5]
        clock.now += 5
        await ours.fetch(web.url(HOST, "/3"))
        assert clock.slept[3:] == []


@pytest.mark.parametrize(
    ("robots", "pauses"),
    [
        ("User-agent: *\nCrawl-delay: 7", [7.0, 7.0]),
        ("User-agent: *\nCrawl-delay: 0.5", [0.5, 0.5]),
        ("User-agent: *\nCrawl-delay: 0", []),
        ("User-agent: *\nCrawl-delay: 86400", [30.0, 30.0]),
        ("User-agent: *\nCrawl-delay: soon", [2.0, 2.0]),
        ("User-agent: *\nRequest-rate: 1/10", [10.0, 10.0]),
        ("User-agent: *\nCrawl-delay: 5\n\nUser-agent: Postbench\nCrawl-delay: 3", [3.0, 3.0]),
        ("User-agent: other\nCrawl-delay: 9", [2.0, 2.0]),
    ],
)
async def test_the_crawl_delay_is_honoured_up_to_the_cap(web: WebServer, robots: str, pauses: list[float]) -> None:
    web.add(HOST, {**PAGES, "/robots.txt": text(robots)})
    clock = Clock()
    async with fetcher(delay=2.0, clock=clock, sleep=clock.sleep) as ours:
        assert {(await ours.fetch(web.url(HOST, f"/{n}"))).outcome for n in (1, 2)} == {Outcome.OK}
    assert clock.slept == pauses


async def test_waiting_does_not_count_against_the_time_of_a_fetch(web: WebServer) -> None:
    clock = Clock()
    async with fetcher(delay=20.0, clock=clock, sleep=clock.sleep, limits=QUICK) as ours:
        found = await asyncio.gather(*(ours.fetch(web.url(HOST, f"/{n}")) for n in range(8)))
    assert {page.outcome for page in found} == {Outcome.OK}
    assert clock.slept == [20.0] * 8


async def test_subdomains_are_hosts_of_their_own_and_so_are_ports(web: WebServer) -> None:
    clock = Clock()
    with WebServer({HOST: PAGES}) as other:
        web.add("www.a.test", PAGES)
        async with fetcher(delay=2.0, clock=clock, sleep=clock.sleep) as ours:
            for url in (web.url(HOST, "/robots.txt"), web.url("www.a.test", "/robots.txt"), other.url(HOST, "/robots.txt")):
                await ours.robots(url)
    assert clock.slept == []


async def test_a_host_that_asks_to_wait_is_left_alone_that_long(web: WebServer) -> None:
    web.add(
        HOST,
        {
            **PAGES,
            "/busy": Page(status=429, headers={"Retry-After": "9"}),
            "/down": Page(status=503, headers={"Retry-After": "999"}),
        },
    )
    clock = Clock()
    async with fetcher(clock=clock, sleep=clock.sleep) as ours:
        for path in ("/busy", "/1", "/down", "/2"):
            await ours.fetch(web.url(HOST, path))
    assert clock.slept == [9.0, 30.0]


async def test_a_host_that_could_not_be_reached_is_not_waited_for(web: WebServer) -> None:
    """https is tried before http: the one that is refused does not delay the other."""
    clock = Clock()
    async with fetcher(delay=2.0, clock=clock, sleep=clock.sleep) as ours:
        assert (await ours.fetch("http://127.0.0.1:1/")).outcome == Outcome.UNREACHABLE
        assert (await ours.fetch("http://127.0.0.1:1/")).outcome == Outcome.UNREACHABLE
    assert clock.slept == []


async def test_unused_connections_are_closed(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_lanes, "KEEPALIVE", 0.05)
    async with fetcher() as ours:
        await ours.fetch(web.url(HOST, "/1"))
        assert web.connections == 1
        await until(lambda: not web.connections)


async def test_no_more_than_the_cap_of_connections_are_kept_and_hosts_are_forgotten(web: WebServer) -> None:
    hosts = [f"h{n}.test" for n in range(30)]
    for host in hosts:
        web.add(host, PAGES)
    async with fetcher(concurrency=5, max_delay=0.0) as ours:
        await asyncio.gather(*(ours.fetch(web.url(host, "/1")) for host in hosts))
        await until(lambda: web.connections <= 5)
        assert ours._lanes is not None and len(ours._lanes) <= 10
        assert (await ours.fetch(web.url(hosts[0], "/2"))).outcome == Outcome.OK
    assert not web.violations
