"""robots.txt: what it says, to whom, and what it means when it cannot be had."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.net import robots
from engine.net.http import Outcome
from engine.net.http_urls import Target, target
from engine.net.robots import Robots, RobotsCache, parse
from tests.lab.hurrying import hurried
from tests.lab.web import WebServer
from tests.lab.web_pages import Page, redirect, text
from tests.net.fetching import QUICK, Clock, fetcher, internet, names

HERE = target("http://a.test/")
HOST = "a.test"


def allowed(body: str, path: str = "/x") -> bool:
    return parse(body.encode(), HERE).allows(f"http://a.test{path}")


@pytest.mark.parametrize(
    ("body", "path", "may"),
    [
        ("", "/x", True),
        ("User-agent: *\nDisallow: /", "/x", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow:", "/x", True),
        ("user-AGENT: POSTBENCH\ndisALLOW: /x", "/x", False),
        ("User-agent: postbench/1.0\nDisallow: /x", "/x", False),
        ("User-agent: post\nDisallow: /x", "/x", True),
        ("User-agent: bench\nDisallow: /x", "/x", True),
        ("User-agent: postbenchmark\nDisallow: /x", "/x", True),
        ("User-agent: post\nAllow: /x\n\nUser-agent: *\nDisallow: /x", "/x", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: postbench\nDisallow: /private", "/x", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: postbench\nDisallow: /private", "/private/1", False),
        ("User-agent: postbench\nDisallow:\n\nUser-agent: *\nDisallow: /", "/x", True),
        ("User-agent: other\nUser-agent: postbench\nDisallow: /x", "/x", False),
        ("User-agent: postbench\nUser-agent: other\nDisallow: /x", "/x", False),
        ("User-agent: other\nDisallow: /x\nUser-agent: postbench\nDisallow: /y", "/x", True),
        (
            "User-agent: postbench\nDisallow: /x\n\nUser-agent: other\nDisallow: /y\n\nUser-agent: postbench\nDisallow: /z",
            "/z",
            False,
        ),
        ("User-agent: *\nDisallow: /x\nAllow: /x/public", "/x/public/1", True),
        ("User-agent: *\nAllow: /x\nDisallow: /x", "/x", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a.pdf?x", True),
        ("User-agent: *\nDisallow: /%7Ejoe", "/~joe", False),
        ("User-agent: *\nDisallow: /gr%C3%BC%C3%9Fe", "/gr%c3%bc%c3%9fe", False),
        ("User-agent: *\nDisallow: /grüße", "/gr%C3%BC%C3%9Fe", False),
        ("User-agent: *\nDisallow: /?q=", "/?q=1", False),
        ("\ufeffUser-agent: *\nDisallow: /x", "/x", False),
        ("User-agent: *\r\nDisallow: /x\r\n", "/x", False),
        ("User-agent: *\rDisallow: /x", "/x", False),
        ("User-agent: * # everybody\nDisallow: /x # not here", "/x", False),
        ("Disallow: /x\nUser-agent: *", "/x", True),
        ("<html><body>User-agent: *<br>Disallow: /x", "/x", True),
        ("User-agent: *\nSitemap: http://a.test/s\nDisallow: /x", "/x", False),
    ],
)
def test_rules(body: str, path: str, may: bool) -> None:
    assert allowed(body, path) is may


def test_sitemaps_are_absolute_and_usable() -> None:
    urls = ["/one.xml", "https://b.test/two.xml#x", "ftp://b.test/", "/one.xml", "http://u:p@b.test/"]
    body = "User-agent: other\n" + "".join(f"Sitemap: {url}\n" for url in urls)
    assert parse(body.encode(), HERE).sitemaps == ("http://a.test/one.xml", "https://b.test/two.xml")
    assert len(parse(b"".join(b"Sitemap: /%d\n" % n for n in range(500)), HERE).sitemaps) == robots.SITEMAPS


def test_only_the_first_500_kib_count_and_no_half_line() -> None:
    start = b"User-agent: *\nDisallow: /first\n"
    filler = b"# " + b"x" * (robots.LARGEST - len(start) - 2 - 11) + b"\n"
    body = start + filler + b"Disallow: /second\n"
    assert len(start + filler + b"Disallow: /") > robots.LARGEST
    said = parse(body, HERE)
    assert not said.allows("http://a.test/first")
    assert said.allows("http://a.test/second") and said.allows("http://a.test/else")


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"User-agent: a{n}\n" for n in range(17_000)) + "Disallow: /x\n" * 18_000,
        "User-agent: *\n" + "Disallow: /*a*a*a*a*a*a*a*b\n" * 17_000,
        "User-agent: *\nDisallow: /" + "*a" * 250_000,
        "User-agent: *\n" * 36_000,
        "User-agent: *\nDisallow: /x\n" * 18_000,
        "Sitemap: /x\n" * 42_000,
        ":" * 512_000,
        "user agent " * 46_000,
        "\n" * 512_000,
        "User-agent:" + " " * 511_000 + "x",
    ],
    ids=range(10),
)
def test_hostile_files_take_little_time(body: str) -> None:
    begin = time.process_time()
    parse(body.encode(), HERE).allows("http://a.test/" + "a" * 2_000)
    assert time.process_time() - begin < 3.0, "seconds of processor time"


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_anything_can_be_a_robots_txt(body: bytes) -> None:
    said = parse(body, HERE)
    assert isinstance(said.allows("http://a.test/x"), bool) and (said.delay is None or said.delay >= 0)


# What the fetcher makes of it


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


DENY = "User-agent: *\nDisallow: /x"


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (text(DENY), Outcome.BLOCKED_BY_ROBOTS),
        (Page(DENY, kind=None), Outcome.BLOCKED_BY_ROBOTS),
        (Page(DENY, kind="application/octet-stream", compress="gzip"), Outcome.BLOCKED_BY_ROBOTS),
        (Page(DENY + "\n" * 3_000_000, kind="text/plain"), Outcome.BLOCKED_BY_ROBOTS),
        (Page(DENY + "\n" * 100_000, kind="text/plain", compress="gzip"), Outcome.BLOCKED_BY_ROBOTS),
        (redirect("/other"), Outcome.BLOCKED_BY_ROBOTS),
        (redirect("http://b.test:{port}/rules"), Outcome.BLOCKED_BY_ROBOTS),
        (Page(status=404), Outcome.OK),
        (Page(status=401), Outcome.OK),
        (Page(status=403), Outcome.OK),
        (Page(status=410), Outcome.OK),
        (redirect("/robots.txt"), Outcome.OK),
        (redirect("ftp://a.test/robots.txt"), Outcome.OK),
        (Page("<html>Not found</html>"), Outcome.OK),
        (Page(fault="bomb"), Outcome.OK),
        (Page(status=500), Outcome.BLOCKED_BY_ROBOTS),
        (Page(status=503), Outcome.BLOCKED_BY_ROBOTS),
        (Page(fault="reset"), Outcome.UNREACHABLE),
        (Page(fault="empty"), Outcome.UNREACHABLE),
        (Page(fault="garbage"), Outcome.UNREACHABLE),
        (Page(fault="silence"), Outcome.SLOW),
    ],
)
async def test_what_comes_of_a_page_behind_each_robots_txt(web: WebServer, page: Page, outcome: Outcome) -> None:
    web.add(HOST, {"/robots.txt": page, "/other": text(DENY), "/x": "x"})
    web.add("b.test", {"/rules": text(DENY), "/robots.txt": text("User-agent: *\nDisallow: /")})
    async with hurried(web, QUICK.seconds), fetcher(limits=QUICK) as ours:
        got = await ours.fetch(web.url(HOST, "/x"))
    assert got.outcome == outcome, got
    assert web.asked(HOST, "/x") == (outcome == Outcome.OK)


async def test_at_most_five_redirects_are_followed_to_a_robots_txt(web: WebServer) -> None:
    chain = {f"/{n}": redirect(f"/{n + 1}") for n in range(1, 6)}
    web.add(HOST, {"/robots.txt": redirect("/2"), **chain, "/6": text(DENY), "/x": "x"})
    web.add("b.test", {"/robots.txt": redirect("/1"), **chain, "/6": text(DENY), "/x": "x"})
    async with fetcher() as ours:
        assert (await ours.fetch(web.url(HOST, "/x"))).outcome == Outcome.BLOCKED_BY_ROBOTS
        assert (await ours.fetch(web.url("b.test", "/x"))).outcome == Outcome.OK, "as if there were none"
    assert web.asked("b.test", "/6") == 0


async def test_every_hop_obeys_the_robots_txt_of_its_own_origin(web: WebServer) -> None:
    web.add(HOST, {"/": redirect("http://b.test:{port}/"), "/robots.txt": text("User-agent: *\nDisallow: /no")})
    web.add("b.test", {"/": redirect("http://c.test:{port}/secret/1"), "/robots.txt": text("User-agent: *\nAllow: /")})
    web.add("c.test", {"/secret/1": "x", "/robots.txt": text("User-agent: *\nDisallow: /secret")})
    web.forbid("c.test", "/secret")
    async with fetcher() as ours:
        got = await ours.fetch(web.url(HOST))
        assert got.outcome == Outcome.BLOCKED_BY_ROBOTS and "c.test" in got.detail
        assert got.url == web.url("c.test", "/secret/1") and len(got.redirects) == 2
    assert not web.violations
    assert all(web.asked(host, "/robots.txt") == 1 for host in (HOST, "b.test", "c.test"))


async def test_http_and_https_have_robots_of_their_own(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    web.add("a.example", {"/robots.txt": text(""), "/": "x"})
    internet(monkeypatch, web.port)
    async with fetcher(private=False, resolve=names({"a.example": ["93.184.215.14"]})) as ours:
        assert (await ours.fetch("http://a.example/")).outcome == Outcome.OK
        assert (await ours.fetch("https://a.example/")).outcome == Outcome.UNREACHABLE
    assert web.asked("a.example") == 2


async def test_one_robots_txt_is_fetched_once_however_many_pages_wait_for_it(web: WebServer) -> None:
    web.delay = 0.01
    web.add(HOST, {f"/{n}": "x" for n in range(20)})
    async with fetcher() as ours:
        first = asyncio.create_task(ours.fetch(web.url(HOST, "/0")))
        await asyncio.sleep(0)
        others = [asyncio.create_task(ours.fetch(web.url(HOST, f"/{n}"))) for n in range(1, 20)]
        first.cancel()  # who began it may leave
        found = await asyncio.gather(*others)
    assert {page.outcome for page in found} == {Outcome.OK} and web.asked(HOST, "/robots.txt") == 1


async def test_it_is_remembered_for_a_day_and_trouble_for_ten_minutes(web: WebServer) -> None:
    web.add(HOST, {"/robots.txt": text("User-agent: *\nDisallow: /no"), "/": "x"})
    web.add("b.test", {"/robots.txt": Page(status=500), "/": "x"})
    clock = Clock()
    async with fetcher(clock=clock, sleep=clock.sleep) as ours:

        async def asked(host: str) -> int:
            await ours.fetch(web.url(host))
            return web.asked(host, "/robots.txt")

        assert [await asked(HOST), await asked("b.test")] == [1, 1]
        clock.now += 599
        assert [await asked(HOST), await asked("b.test")] == [1, 1]
        clock.now += 2
        assert [await asked(HOST), await asked("b.test")] == [1, 2]
        clock.now += 85_800
        assert await asked(HOST) == 2


async def test_the_cache_is_bounded_in_number_and_in_size() -> None:
    async def load(place: Target) -> Robots:
        return Robots(weight=100)

    many = RobotsCache(load, Clock(), count=10)
    heavy = RobotsCache(load, Clock(), room=1_000)
    for n in range(50):
        await many.of(target(f"http://h{n}.test/"))
        await heavy.of(target(f"http://h{n}.test/"))
    assert len(many) == 10 and len(heavy) == 10
