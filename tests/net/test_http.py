"""The fetcher: what comes of each kind of answer, and that nothing on the web makes it fail."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from engine.net import calls
from engine.net.http import SITEMAPS, FakeFetcher, Fetched, Limits, Outcome, WebFetcher
from tests.lab.hurrying import hurried
from tests.lab.web import WebServer, loopback
from tests.lab.web_pages import Fault, Page, redirect, sitemap, text
from tests.net.fetching import AGENT, QUICK, fetcher, until

HOST = "a.test"


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


async def fetched(web: WebServer, page: Page, **settings: Any) -> Fetched:
    """What comes of this page."""
    web.add(HOST, {"/": page})
    async with hurried(web, QUICK.seconds), fetcher(**settings) as ours:
        return await ours.fetch(web.url(HOST))


async def test_a_page_comes_with_all_there_is_to_know(web: WebServer) -> None:
    got = await fetched(web, Page("<h1>Grüße</h1>", kind="Text/HTML; Charset=ISO-8859-15"))
    assert got == Fetched(web.url(HOST), 200, "<h1>Grüße</h1>".encode(), "iso8859-15", "text/html")
    (page,) = [request for request in web.requests if request.path == "/"]
    assert page.headers["user-agent"] == AGENT and page.headers["host"] == f"{HOST}:{web.port}"
    assert "cookie" not in page.headers


@pytest.mark.parametrize("compress", ["gzip", "deflate", "raw"])
async def test_compressed_pages_come_decoded(web: WebServer, compress: str) -> None:
    got = await fetched(web, Page("hello " * 100_000, compress=compress))
    assert got.outcome == Outcome.OK and got.body == b"hello " * 100_000
    assert not got.detail


async def test_chunked_pages_come_whole(web: WebServer) -> None:
    assert (await fetched(web, Page("x" * 300_000, chunked=True))).body == b"x" * 300_000


@pytest.mark.parametrize(
    ("kind", "charset"),
    [
        ("text/html", None),
        ("text/html; charset=klingon", None),
        ("text/html; charset=base64", None),
        ("text/html; charset=", None),
        ("text/html; charset='utf-8'", "utf-8"),
        ('text/html;charset="windows-1251"', "cp1251"),
        ("text/html; charset*=broken'", None),
    ],
)
async def test_only_a_charset_that_exists_is_named(web: WebServer, kind: str, charset: str | None) -> None:
    got = await fetched(web, Page("x", kind=kind))
    assert (got.outcome, got.kind, got.charset) == (Outcome.OK, "text/html", charset)


@pytest.mark.parametrize(
    ("page", "outcome", "words"),
    [
        (Page(status=401), Outcome.REFUSED, "401 Unauthorized"),
        (Page(status=403), Outcome.REFUSED, "403 Forbidden"),
        (Page(status=451), Outcome.REFUSED, "451"),
        (Page(status=404), Outcome.HTTP_ERROR, "404 Not Found"),
        (Page(status=500), Outcome.HTTP_ERROR, "500 Internal Server Error"),
        (Page(status=299), Outcome.OK, ""),
        (Page(status=304), Outcome.HTTP_ERROR, "304"),
        (Page(status=302), Outcome.HTTP_ERROR, "302 Found"),
        (Page(status=999), Outcome.HTTP_ERROR, "999"),
        (Page(b"%PDF", kind="application/pdf"), Outcome.WRONG_TYPE, "application/pdf is not a kind"),
        (Page(b"\0\1\2", kind=None), Outcome.WRONG_TYPE, "not text"),
        (Page("x", compress="br"), Outcome.WRONG_TYPE, "compressed with br"),
        (Page("not gzip", headers={"Content-Encoding": "gzip"}), Outcome.WRONG_TYPE, "not compressed as it says"),
        (Page("x" * 2_000_001), Outcome.TOO_BIG, "2 MB"),
        (Page("x" * 2_000_001, chunked=True), Outcome.TOO_BIG, "2 MB"),
        (Page("x" * 5_000_001, compress="gzip"), Outcome.TOO_BIG, "5 MB"),
        (Page(fault="bomb"), Outcome.TOO_BIG, "5 MB"),
        (Page(fault="endless"), Outcome.TOO_BIG, "2 MB"),
        (Page(fault="reset"), Outcome.UNREACHABLE, "closed the connection"),
        (Page(fault="empty"), Outcome.UNREACHABLE, "closed the connection"),
        (Page(fault="garbage"), Outcome.UNREACHABLE, "not answer in HTTP"),
        (Page(fault="headers"), Outcome.UNREACHABLE, "not answer in HTTP"),
        (redirect("ftp://a.test/"), Outcome.REFUSED, "not ftp"),
        (redirect("http://user:secret@a.test/"), Outcome.REFUSED, "user name"),
        (redirect("http://[half"), Outcome.REFUSED, "not a host name"),
        (redirect("javascript:alert(1)"), Outcome.REFUSED, "not javascript"),
        (redirect("http://a.test:x/"), Outcome.REFUSED, "malformed"),
        (redirect("http://a.test:99999/"), Outcome.REFUSED, "99999"),
        (redirect("/" + "x" * 3_000), Outcome.REFUSED, "longer than"),
        (redirect("/"), Outcome.REDIRECT_LOOP, "come back"),
        (redirect("http://nowhere.example/"), Outcome.UNREACHABLE, "nowhere.example has no address"),
        (redirect("http://127.0.0.1:1/"), Outcome.UNREACHABLE, "takes no connections on port 1"),
    ],
    ids=lambda value: value.fault or str(value.status) if isinstance(value, Page) else str(value)[:20],
)
async def test_each_answer_has_its_outcome(web: WebServer, page: Page, outcome: Outcome, words: str) -> None:
    got = await fetched(web, page)
    assert (got.outcome, got.body) == (outcome, b"")
    assert words in got.detail


@pytest.mark.parametrize("fault", ["silence", "drip"])
async def test_a_page_that_takes_too_long_is_slow(web: WebServer, fault: Fault) -> None:
    got = await fetched(web, Page("x" * 1_000, fault=fault, delay=0.01), limits=QUICK)
    assert got.outcome == Outcome.SLOW and "longer than" in got.detail


@pytest.mark.parametrize("fault", ["short", "broken_reset"])
async def test_a_page_that_breaks_off_is_kept_with_a_word_about_it(web: WebServer, fault: Fault) -> None:
    got = await fetched(web, Page("x" * 1_000, fault=fault))
    assert got.outcome == Outcome.OK and got.body == b"x" * 500
    assert "broke off" in got.detail


async def test_a_gzip_page_that_breaks_off_is_kept_too(web: WebServer) -> None:
    data = gzip.compress("".join(f"<p>{n * n}</p>" for n in range(20_000)).encode())
    got = await fetched(web, Page(data, headers={"Content-Encoding": "gzip"}, fault="short"))
    assert got.outcome == Outcome.OK and got.body.startswith(b"<p>0</p><p>1</p>") and "broke off" in got.detail


async def test_what_is_larger_than_said_does_not_disturb_the_next_page(web: WebServer) -> None:
    web.add(HOST, {"/": Page("one", fault="long"), "/two": "two"})
    async with fetcher() as ours:
        assert (await ours.fetch(web.url(HOST))).body == b"one"
        assert (await ours.fetch(web.url(HOST, "/two"))).body == b"two"


async def test_a_page_of_no_kind_is_looked_at(web: WebServer) -> None:
    got = await fetched(web, Page("<p>text", kind=None))
    assert (got.outcome, got.kind, got.body) == (Outcome.OK, "text/html", b"<p>text")


async def test_redirects_are_followed_and_told(web: WebServer) -> None:
    pages = {f"/{n}": redirect(f"/{n + 1}#part", 301 + n % 2) for n in range(5)}
    web.add(HOST, {**pages, "/5": redirect("//b.test:{port}/end", 307), "/end": "no"})
    web.add("b.test", {"/end": "here"})
    async with fetcher() as ours:
        got = await ours.fetch(web.url(HOST, "/1"))
        assert got.url == web.url("b.test", "/end") and got.body == b"here"
        assert got.redirects == tuple(web.url(HOST, f"/{n}") for n in range(1, 6))
        far = await ours.fetch(web.url(HOST, "/0"))
        assert far.outcome == Outcome.REDIRECT_LOOP and "more than 5" in far.detail and far.body == b""
    assert web.asked("b.test", "/end") == 1


async def test_cookies_are_not_kept(web: WebServer) -> None:
    web.add(HOST, {"/": Page("x", headers={"Set-Cookie": "id=1; Path=/"}), "/two": "x"})
    async with fetcher() as ours:
        await ours.fetch(web.url(HOST))
        await ours.fetch(web.url(HOST, "/two"))
    assert not web.violations and web.asked(HOST, "/two") == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"}, 40.0),
        ({"Retry-After": "Wed, 21 Oct 1965 07:28:30 GMT"}, 0.0),
        ({"Retry-After": "99999999999"}, 604_800.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 99 Foo 99999"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_the_servers_wish_to_wait_is_told(
    web: WebServer, status: int, headers: dict[str, str], seconds: float | None
) -> None:
    got = await fetched(web, Page(status=status, headers=headers), wall=lambda: 60.0)
    assert (got.outcome, got.status, got.retry_after) == (Outcome.HTTP_ERROR, status, seconds)


async def test_sitemaps_come_unpacked(web: WebServer) -> None:
    web.add(HOST, {"/s.xml": sitemap("http://a.test/"), "/s.xml.gz": sitemap("http://a.test/", gzipped=True)})
    async with fetcher() as ours:
        plain = await ours.fetch(web.url(HOST, "/s.xml"), kinds=SITEMAPS)
        packed = await ours.fetch(web.url(HOST, "/s.xml.gz"), kinds=SITEMAPS)
        assert plain.body == packed.body and plain.body.startswith(b"<?xml")
        assert (await ours.fetch(web.url(HOST, "/s.xml.gz"))).outcome == Outcome.WRONG_TYPE


async def test_nothing_is_fetched_without_a_usable_url() -> None:
    async with fetcher() as ours:
        for url in [
            "",
            "a.test",
            "mailto:a@a.test",
            "http://",
            "http://:80/",
            "http:///x",
            "http://a b/",
            "http://a.test:0/",
            "\0",
        ]:
            got = await ours.fetch(url)
            assert got.outcome == Outcome.REFUSED and got.detail, url
            assert (await ours.robots(url)).trouble == Outcome.REFUSED
        assert ours.counts["requests"] == 0


async def test_one_fetcher_serves_one_event_loop_after_another(web: WebServer) -> None:
    web.add(HOST, {"/": "x"})
    ours: list[WebFetcher] = []

    async def once() -> Outcome:
        from engine.net.guard import Guard

        ours.append(ours[0] if ours else WebFetcher(Guard(allow_private=True), loopback, user_agent=AGENT, delay=0.0))
        got = await ours[0].fetch(web.url(HOST))
        await ours[0].close()
        return got.outcome

    for _ in range(3):
        assert await asyncio.to_thread(asyncio.run, once()) == Outcome.OK
    assert web.asked(HOST, "/robots.txt") == 1, "what robots.txt says outlives the loop"


async def test_what_was_done_is_counted(web: WebServer) -> None:
    web.add(HOST, {"/": "x", "/gone": redirect("/"), "/robots.txt": text("User-agent: *\nDisallow: /secret")})
    with calls.counting() as counted:
        async with fetcher() as ours:
            for path in ("/", "/gone", "/secret"):
                await ours.fetch(web.url(HOST, path))
            await ours.fetch("ftp://a.test")
            expected = {"fetches": 4, "requests": 4, "robots": 1, "ok": 2, "blocked_by_robots": 1, "refused": 1}
            assert dict(ours.counts) == expected
    assert counted["http"] == 4


async def test_a_cancelled_fetch_leaves_the_host_usable(web: WebServer) -> None:
    web.add(HOST, {"/": "x", "/never": Page(fault="silence")})
    async with fetcher() as ours:
        await ours.fetch(web.url(HOST))
        waiting = asyncio.create_task(ours.fetch(web.url(HOST, "/never")))
        await until(lambda: web.asked(HOST, "/never"))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await ours.fetch(web.url(HOST))).outcome == Outcome.OK
    assert not web.violations


async def test_fetches_under_way_end_when_the_fetcher_is_closed(web: WebServer) -> None:
    web.add(HOST, {"/": "x", "/never": Page(fault="silence")})
    web.add("b.test", {"/robots.txt": Page(fault="silence")})
    async with fetcher() as ours:
        await ours.fetch(web.url(HOST))
        urls = [web.url(HOST, "/never"), web.url(HOST), web.url(HOST), web.url("b.test"), web.url("b.test")]
        waiting = [asyncio.create_task(ours.fetch(url)) for url in urls]
        await until(lambda: web.asked(HOST, "/never") and web.asked("b.test", "/robots.txt"))
        await ours.close()
        assert {got.outcome for got in await asyncio.gather(*waiting)} == {Outcome.UNREACHABLE}
        await until(lambda: not web.connections)
        assert (await ours.fetch(web.url(HOST))).outcome == Outcome.OK, "it may be used again"


async def test_an_invalid_certificate_is_named() -> None:
    with WebServer({"a.lab.test": {"/": "x"}, "a.test": {"/": "x"}}, tls=True) as web:
        async with fetcher() as ours:
            got = await ours.fetch(web.url("a.lab.test"))
            assert got.outcome == Outcome.UNREACHABLE and "certificate of a.lab.test is not valid: self" in got.detail
        async with fetcher(context=web.trusting()) as ours:
            assert (await ours.fetch(web.url("a.lab.test"))).body == b"x"
            got = await ours.fetch(web.url("a.test"))
            assert got.outcome == Outcome.UNREACHABLE and "ostname mismatch" in got.detail
            plain = await ours.fetch(web.url("a.lab.test").replace("https:", "http:"))
            assert plain.outcome == Outcome.UNREACHABLE


async def test_a_server_without_tls_is_unreachable_by_https(web: WebServer) -> None:
    async with fetcher() as ours:
        got = await ours.fetch(web.url(HOST).replace("http:", "https:"))
        assert got.outcome == Outcome.UNREACHABLE and "offers no TLS" in got.detail


async def test_every_fault_ends_in_a_result(web: WebServer) -> None:
    """The robots.txt, too, may be as broken as it likes."""
    for fault in get_args(Fault):
        page = Page("User-agent: *\nDisallow: /x\n" * 40, kind="text/plain", fault=fault, delay=0.01)
        web.add(f"{fault.replace('_', '')}.test", {"/robots.txt": page, "/": Page("x" * 100, fault=fault, delay=0.01)})
    async with fetcher(limits=Limits(seconds=0.4)) as ours:
        hosts = [f"{fault.replace('_', '')}.test" for fault in get_args(Fault)]
        for got in await asyncio.gather(*(ours.fetch(web.url(host)) for host in hosts)):
            assert got.detail or got.outcome == Outcome.OK


async def test_the_fake_is_a_fetcher_too() -> None:
    told = Fetched("http://a.test/x", outcome=Outcome.SLOW, detail="slow")
    fake = FakeFetcher(
        {"http://a.test/": b"hi", "http://a.test/x": told, "http://a.test/robots.txt": b"User-agent: *\nDisallow: /no"}
    )
    assert await fake.fetch("http://a.test/") == Fetched("http://a.test/", 200, b"hi", "utf-8", "text/html")
    assert await fake.fetch("http://a.test/x") is told
    assert (await fake.fetch("http://a.test/no")).outcome == Outcome.BLOCKED_BY_ROBOTS
    assert (await fake.fetch("http://a.test/else")).status == 404
    assert (await fake.fetch("nonsense")).outcome == Outcome.REFUSED
    assert (await fake.robots("http://a.test/")).allows("http://a.test/yes")
    assert fake.asked["http://a.test/"] == 1
