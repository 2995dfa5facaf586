"""The crawler over the lab: what comes first, what is never asked for, and where it ends."""

from __future__ import annotations

from typing import Any

import pytest

from engine.net.reader import FakeReader, PageReader
from engine.scraping.crawl import FakeCrawler, SiteCrawler
from engine.scraping.report import Report, Seen
from tests.lab.hurrying import hurried
from tests.lab.pages import corpus
from tests.lab.web_pages import Page, explosive, redirect
from tests.net.fetching import QUICK
from tests.scraping.world import NOW, Clock, Cursor, Killed, emails, mail, page, world

ROBOTS = Page("User-agent: *\nDisallow: /private\n", kind="text/plain")


def xml(*urls: str, index: bool = False) -> Page:
    tag = "sitemapindex" if index else "urlset"
    return Page(f"<{tag}>" + "".join(f"<url><loc>{url}</loc></url>" for url in urls) + f"</{tag}>", kind="application/xml")


def chain(length: int, *links: str) -> dict[str, str]:
    """A site of pages each of which leads to the next."""
    site = {f"/n{n}": page(f"/n{n + 1}", text=f"This is page {n}.") for n in range(1, length)}
    return {"/": page("/n1", *links, text="Home"), **site}


async def test_each_address_has_its_provenance():
    html = '<title>Reach us</title><a href="mailto:info@kestrelworks.com">Mail</a><p>anna.lee@gmail.com</p>'
    async with world({"a.test": {"/": page("/contact", text="Home"), "/contact": html}}) as lab:
        report = await lab.crawl("a.test")
        at = round(NOW.timestamp() * 1000)
        url = lab.web.url("a.test", "/contact")
        assert report == Report(
            f"a.test:{lab.web.port}",
            "found",
            "",
            (
                Seen("info@kestrelworks.com", url, "Reach us", "mailto", True, False, at),
                Seen("anna.lee@gmail.com", url, "Reach us", "text", False, True, at),
            ),
            2,
        )


async def test_what_stands_beside_an_address_is_kept_of_all_pages():
    site = {
        **chain(9, "/team"),
        "/": page("/team", "/n1", text="Questions? jdoe@kestrelworks.com"),
        "/team": "<li>Jane Doe <a href='mailto:jdoe@kestrelworks.com'>mail</a></li><li>Tom Ray, tray@kestrelworks.com</li>",
    }
    async with world({"a.test": site}) as lab:
        cursor = Cursor()
        report = await lab.crawl("a.test", cursor=cursor)
        assert {seen.email.partition("@")[0]: seen.near for seen in report.seen} == {
            "jdoe": "Questions? more more | Jane Doe mail",
            "tray": "Tom Ray,",
        }
        assert report.seen[0].source_url == lab.web.url("a.test", "/"), "where it was seen first"
        known = report.known(20, 0, "job")
        assert [one.near for one in known.seen] == [seen.near for seen in report.seen]
        again = await lab.crawl("a.test", state=cursor.states[-1])
        assert again.seen == report.seen, "it survives a kill"


async def test_what_promises_comes_first_then_sitemaps_then_depth():
    site = {
        "/": page("/a", "/team", "/kontakt", text="Home"),
        "/a": page("/deep", text="a"),
        "/team": page("/impressum", text="team"),
        "/kontakt": page(text="contact"),
        "/impressum": page(text="imprint"),
        "/deep": page(text="deep"),
        "/listed": page(text="listed"),
        "/sitemap.xml": xml("/listed", "/a", "/press"),
        "/press": page(text="press"),
    }
    async with world({"a.test": site}) as lab:
        report = await lab.crawl("a.test")
        assert lab.asked("a.test") == ["/", "/kontakt", "/team", "/impressum", "/press", "/listed", "/a", "/deep"]
        assert report.pages == 8 and report.status == "no_addresses"
        assert report.error == "No address on the 8 pages that were read."
        first = lab.web.order("a.test")
        lab.web.forget()
        await lab.crawl("a.test")
        assert lab.asked("a.test") == [path for path in first if path not in ("/robots.txt", "/sitemap.xml")]


@pytest.mark.parametrize("pages", [1, 3, 7, 20])
async def test_the_cap_is_exact(pages):
    site = {**chain(60), "/sitemap.xml": xml(*(f"/s{n}" for n in range(60)))}
    async with world({"a.test": site}) as lab:
        report = await lab.crawl("a.test", pages)
        assert report.pages == pages == len(lab.asked("a.test")), "pages that are not found count, too"
        assert not lab.web.violations


async def test_nothing_forbidden_is_asked_for():
    site = {"/robots.txt": ROBOTS, "/": mail("a", "/private/x", "/private", "/b", "/private/contact"), "/b": mail("b")}
    async with world({"a.test": site}) as lab:
        lab.web.forbid("a.test", "/private")
        report = await lab.crawl("a.test", 2)
        assert emails(report) == ["a@kestrelworks.com", "b@kestrelworks.com"]
        assert report.pages == 2 and not lab.web.violations, "what is forbidden takes no place among the pages"


@pytest.mark.parametrize(
    ("robots", "said"),
    [
        (Page("User-agent: *\nDisallow: /", kind="text/plain"), "forbids this page"),
        (Page("", 503), "answers 503"),
    ],
)
async def test_a_site_that_wants_no_robots_is_left_alone(robots, said):
    async with world({"a.test": {"/robots.txt": robots, "/": mail("a")}}) as lab:
        lab.web.forbid("a.test", "/")
        lab.web.forbid("a.test", "/sitemap", "/index")
        report = await lab.crawl("a.test")
        assert (report.status, report.pages) == ("blocked_by_robots", 0) and said in report.error
        assert report.error.startswith("the robots.txt of a.test "), "not with what came of https"
        assert set(lab.web.order("a.test")) == {"/robots.txt"}


@pytest.mark.parametrize(
    ("home", "status", "said"),
    [
        (Page("no", 403), "refused", "403 Forbidden"),
        (Page("gone", 404), "unreachable", "404 Not Found"),
        (Page("oh", 500), "unreachable", "500 Internal"),
        (Page(fault="reset"), "unreachable", "closed the connection"),
        (Page(fault="garbage"), "unreachable", "did not answer in HTTP"),
        (Page(fault="silence"), "unreachable", "took longer than 5 seconds"),
        (Page(fault="headers"), "unreachable", ""),
        (Page("x" * 99, fault="drip", delay=1), "unreachable", "took longer"),
        (Page(fault="endless"), "refused", "larger than"),
        (Page(fault="bomb"), "refused", "larger than"),
        (Page(b"\x00\x01" * 99, kind="image/png"), "refused", "not a kind of page"),
        (redirect("/"), "unreachable", "come back"),
        (
            Page("busy", 429, headers={"Retry-After": "120"}),
            "refused",
            "429, which asks to be left alone and to come back in 120",
        ),
        (Page("busy", 503, headers={"Retry-After": "60"}), "refused", "503"),
    ],
)
async def test_a_home_page_that_cannot_be_read_gives_the_reason(home, status, said):
    explosive()  # making it takes long
    async with world({"a.test": {"/": home}}) as lab:
        report = await lab.crawl("a.test")
        assert (report.status, report.seen) == (status, ())
        assert said in report.error and report.error, report


async def test_names_and_ports_that_lead_nowhere():
    async with world({}) as lab:
        free = lab.names.port  # UDP and TCP of the name server speak no HTTP
        reports = [await lab.crawler.crawl(domain, 5, None, Cursor().save, Clock()) for domain in ("no.where", "a.test:1", "??")]
        assert [report.status for report in reports] == ["unreachable", "unreachable", "refused"]
        assert "no.where has no address" in reports[0].error and "port 1" in reports[1].error
        assert "not a domain" in reports[2].error
        async with hurried(lab.names, QUICK.seconds):
            report = await lab.crawler.crawl(f"a.test:{free}", 5, None, Cursor().save, Clock())
        assert report.status == "unreachable"


async def test_a_bare_domain_that_leads_nowhere_is_read_at_www():
    robots = Page("User-agent: *\nDisallow: /private\nSitemap: http://www.a.test:{port}/sitemap.xml", kind="text/plain")
    site = {"/": mail("a", "/b", "/private/c"), "/b": mail("b", "/c", "/d"), "/robots.txt": robots}
    async with world({"www.a.test": site}) as lab:
        lab.web.forbid("www.a.test", "/private")
        for address in ((), ("127.0.0.3",)):  # none at all; one where nobody takes connections
            lab.names.add("a.test", a=address)
            report = await lab.crawl("a.test", 3)
            assert (report.domain, report.status) == (f"a.test:{lab.web.port}", "found")
            assert emails(report) == ["a@kestrelworks.com", "b@kestrelworks.com"]
            assert report.pages == 3 and lab.asked("www.a.test") == ["/", "/b", "/c"] and not lab.web.violations
            lab.web.forget()
            assert (await lab.crawl("a.test", 1)).pages == 1 and lab.asked("www.a.test") == ["/"]
            lab.web.forget()


async def test_www_is_asked_only_where_nobody_is_at_the_domain():
    robots = Page("User-agent: *\nDisallow: /", kind="text/plain")
    async with world({"a.test": {"/": Page("gone", 404)}, "www.b.test": {"/": mail("b"), "/robots.txt": robots}}) as lab:
        lab.web.forbid("www.b.test", "/index", "/sitemap")
        report = await lab.crawl("a.test")
        assert (report.status, lab.web.asked("www.a.test")) == ("unreachable", 0)
        for name in ("b.test", "c.test", "www.c.test", "www.www.c.test"):
            lab.names.add(name)
        report = await lab.crawl("b.test")
        assert (report.status, report.error) == ("blocked_by_robots", "the robots.txt of www.b.test forbids this page")
        assert report.pages == 0 and lab.web.order("www.b.test") == ["/robots.txt"]
        for host in ("c.test", "www.c.test"):
            report = await lab.crawl(host)
            assert (report.status, report.error, report.pages) == ("unreachable", f"{host} has no address", 0)
        assert not [name for name, _ in lab.names.counts if "www.www" in str(name)]


async def test_private_addresses_are_refused_when_they_are_closed():
    async with world({"a.test": {"/": mail("a")}}, private=False) as lab:
        report = await lab.crawl("a.test")
        assert report.status == "refused" and report.error and lab.web.total == 0


async def test_a_busy_server_is_left_alone_with_what_was_found():
    site = {"/": mail("a", "/b", "/c"), "/b": Page("busy", 429, headers={"Retry-After": "30"}), "/c": mail("c")}
    async with world({"a.test": site}) as lab:
        report = await lab.crawl("a.test")
        assert emails(report) == ["a@kestrelworks.com"] and report.status == "found"
        assert report.error == "Stopped: the server answered 429, which asks to be left alone and to come back in 30 seconds."
        assert lab.asked("a.test") == ["/", "/b"]


async def test_a_site_that_fails_and_fails_is_left_alone():
    site = {"/": mail("a", *(f"/b{n}" for n in range(9))), **{f"/b{n}": Page("oh", 500) for n in range(9)}}
    async with world({"a.test": site}) as lab:
        report = await lab.crawl("a.test")
        assert (report.status, report.pages) == ("found", 6) and "Stopped after 5 failures in a row" in report.error


async def test_missing_pages_are_no_failures_of_the_site():
    site = {"/": page(*(f"/b{n}" for n in range(9)), "/z", text="Home"), "/z": mail("z")}
    async with world({"a.test": site}) as lab:
        report = await lab.crawl("a.test")
        assert emails(report) == ["z@kestrelworks.com"] and report.error == ""


async def test_traps_end():
    calendar = {f"/calendar/2026-{n:02}": page(f"/calendar/2026-{n + 1:02}", text=f"month {n}") for n in range(1, 50)}
    same = {f"/p{n}": page(f"/p{n + 1}", text="always the same") for n in range(50)}
    same |= {f"/p{n}": "<p>same</p><a href='/p1'>a</a><a href='/p2'>b</a><a href='/p3'>c</a>" for n in range(50)}
    sessions = {f"/shop?sid={n}": page(f"/shop?sid={n + 1}", text="shop") for n in range(50)}
    site = {"/": page("/calendar/2026-01", "/p0", "/shop?sid=1", "/a/b/a/b/a/b/a/b", text="Home"), "/shop": page("/shop?sid=7")}
    async with world({"a.test": {**site, **calendar, **same, **sessions}}) as lab:
        report = await lab.crawl("a.test", 100)
        assert lab.asked("a.test") == ["/", "/p0", "/p1", "/p2", "/p3", "/shop"]
        assert report.status == "no_addresses"


async def test_one_page_under_many_spellings_is_fetched_once():
    links = (
        "/a",
        "/a/",
        "/a#x",
        "/a?utm_source=x",
        "http://www.a.test:{port}/a",
        "/index.html",
        "/./a",
        "/b/../a",
        "//a.test:{port}/a",
    )
    async with world({"a.test": {"/": page(*links, text="Home"), "/a": mail("a")}}) as lab:
        report = await lab.crawl("a.test")
        assert lab.asked("a.test") == ["/", "/a"] and report.pages == 2


async def test_other_sites_are_not_read_but_subdomains_are():
    home = page("http://other.test:{port}/", "http://blog.a.test:{port}/", "/out", text="Home")
    site: dict[str, Any] = {"/": home, "/out": redirect("http://other.test:{port}/")}
    others = {"blog.a.test": {"/": mail("blog")}, "other.test": {"/": mail("other")}}
    async with world({"a.test": site, **others}) as lab:
        report = await lab.crawl("a.test")
        assert emails(report) == ["blog@kestrelworks.com"]
        assert lab.asked("other.test") == ["/"], "only where a page of the site led"


async def test_a_domain_that_moved_is_read_where_it_is_now():
    sites: dict[str, dict[str, Any]] = {
        "a.test": {"/": redirect("http://b.test:{port}/", 301)},
        "b.test": {"/": mail("b", "/contact"), "/contact": mail("c")},
    }
    async with world(sites) as lab:
        report = await lab.crawl("a.test")
        assert emails(report) == ["b@kestrelworks.com", "c@kestrelworks.com"] and report.domain.startswith("a.test:")


async def test_links_of_pages_that_say_nofollow_are_not_followed():
    site = {"/": '<meta name="robots" content="nofollow">' + mail("a", "/b"), "/b": mail("b")}
    async with world({"a.test": {"/": "", **site}}) as lab:
        assert emails(await lab.crawl("a.test")) == ["a@kestrelworks.com"]


async def test_wrong_encodings_and_plain_text_are_read():
    cyrillic = "<title>Привет</title><p>Пишите: anna@kestrelworks.com</p>".encode("windows-1251")
    site = {
        "/": Page(cyrillic + b'<a href="/t.txt">x</a>', kind="text/html; charset=utf-8"),
        "/t.txt": Page("bob@kestrelworks.com <b", kind="text/plain"),
    }
    async with world({"a.test": site}) as lab:
        assert emails(await lab.crawl("a.test")) == ["anna@kestrelworks.com", "bob@kestrelworks.com"]


async def test_sitemaps_of_robots_and_of_indexes_are_read():
    robots = Page("Sitemap: http://a.test:{port}/maps.xml\nSitemap: http://other.test:{port}/x.xml", kind="text/plain")
    site = {"/robots.txt": robots, "/": page(text="Home"), "/maps.xml": xml("/posts.xml", "/pages.xml", index=True)}
    site |= {"/posts.xml": xml("/post"), "/pages.xml": xml("/kontakt", "/logo.png"), "/post": mail("post"), "/kontakt": mail("k")}
    async with world({"a.test": site}) as lab:
        report = await lab.crawl("a.test", 3)
        assert emails(report) == ["k@kestrelworks.com", "post@kestrelworks.com"] and report.pages == 3
        assert lab.web.asked("other.test") == 0


async def test_addresses_of_an_intranet_are_addresses_there():
    async with world({"a.test": {"/": "<p>anna@a.test</p>"}}) as lab:
        assert emails(await lab.crawl("a.test")) == ["anna@a.test"]


@pytest.mark.parametrize("dies_at", range(1, 6))
async def test_a_killed_crawl_goes_on_from_its_cursor(dies_at):
    site = {**chain(40, "/contact"), "/contact": mail("c"), "/n9": mail("nine", "/n10"), "/n2": mail("two", "/n3")}
    async with world({"a.test": site}) as lab:
        whole = await lab.crawl("a.test", 30)
        order = lab.asked("a.test")
        lab.web.forget()
        cursor = Cursor(dies_at)
        with pytest.raises(Killed):
            await lab.crawl("a.test", 30, cursor=cursor)
        assert len(lab.asked("a.test")) == 5 * dies_at
        again = await lab.crawl("a.test", 30, cursor.states[-1], cursor)
        assert again == whole and lab.asked("a.test") == order, "no page was fetched twice"


async def test_a_slow_crawl_saves_more_often():
    cursor = Cursor()
    async with world({"a.test": chain(10)}) as lab:
        await lab.crawl("a.test", 8, cursor=cursor, now=Clock(2.1))
    assert len(cursor.states) == 7, "after every page but the last"


async def test_a_crawl_that_was_killed_at_its_end_only_reports():
    site = {"/": mail("a", "/b"), "/b": Page("busy", 429)}
    async with world({"a.test": site}) as lab:
        cursor = Cursor()
        whole = await lab.crawl("a.test", now=Clock(3), cursor=cursor)
        asked = lab.web.total
        state = {**cursor.states[-1], "ended": True, "note": whole.error, "pages": 2}
        report = await lab.crawl("a.test", state=state)
        assert (report.status, report.error, lab.web.total) == ("found", whole.error, asked)


async def test_precision_and_recall_over_the_planted_addresses_and_traps():
    pages = corpus()
    right = wrong = missed = 0
    async with world({f"{one.name}.test": {"/": one.html} for one in pages}, PageReader()) as lab:
        for one in pages:
            found = {email.lower() for email in emails(await lab.crawl(f"{one.name}.test", 1))}
            expected = {email.lower() for email in one.expected}
            right, wrong, missed = right + len(found & expected), wrong + len(found - expected), missed + len(expected - found)
        assert not lab.web.violations
    assert right > 300
    assert right / (right + wrong) >= 0.98, f"{wrong} of {right + wrong} are none"
    assert right / (right + missed) >= 0.98, f"{missed} of {right + missed} were missed"


async def test_the_fake_knows_what_it_is_told():
    report = Report("a.test", "no_addresses", "none")
    fake = FakeCrawler({"a.test": report})
    assert await fake.crawl("a.test", 5, None, Cursor().save, Clock()) is report
    assert (await fake.crawl("b.test", 5, None, Cursor().save, Clock())).status == "unreachable"
    assert fake.asked == {"a.test": 1, "b.test": 1}


async def test_a_page_that_only_redirects_to_another_spelling_is_read():
    site = {"/": page("/a", "/b", text="Home"), "/a": redirect("/a/"), "/a/": mail("a"), "/b": redirect("/a/")}
    async with world({"a.test": site}) as lab:
        report = await lab.crawl("a.test")
        assert emails(report) == ["a@kestrelworks.com"] and report.pages == 3


async def test_an_unreadable_page_is_a_reason_and_no_end():
    site = {"/": page("/a", text="Home"), "/a": mail("a", "/b"), "/b": page(text="b")}
    async with world({"a.test": site}) as lab:
        lab.crawler = SiteCrawler(lab.crawler._fetcher, FakeReader(frozenset({lab.web.url("a.test", "/a")})))
        report = await lab.crawl("a.test")
        assert report.error == "No address on the only page that was read; not read: 1 × unreadable."
        lab.crawler = SiteCrawler(lab.crawler._fetcher, FakeReader(frozenset({lab.web.url("a.test", "/")})))
        report = await lab.crawl("a.test")
        assert (report.status, report.error, report.pages) == ("refused", "the page could not be read", 1)
