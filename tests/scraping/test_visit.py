"""The visit of a site: pauses that its server asks for, where its first page leads, and who said what."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine.net.http import PAGES, FakeFetcher, Fetched, Outcome
from engine.net.reader import FakeReader, PageReader
from engine.scraping.crawl import SiteCrawler
from engine.scraping.visit import PATIENCE
from tests.scraping.world import Clock, Cursor, emails, mail, world


class Moody(FakeFetcher):
    """Asks whoever comes first to a page for a pause, and whoever comes to the page `never`."""

    def __init__(self, pages: Mapping[str, bytes], pause: float) -> None:
        super().__init__(pages)
        self._pause = pause

    async def fetch(self, url: str, *, kinds: tuple[str, ...] = PAGES) -> Fetched:
        told = await super().fetch(url, kinds=kinds)
        if told.status == 200 and (self.asked[url] == 1 or url.endswith("/never")):
            return Fetched(url, 429, outcome=Outcome.HTTP_ERROR, detail="the server answered 429", retry_after=self._pause)
        return told


SITE = {"/": mail("a", "/b", "/never"), "/b": mail("b"), "/never": ""}
MOODY = {f"https://a.test{path}": html.encode() for path, html in SITE.items()}


async def test_a_server_that_asks_for_a_moment_is_asked_once_more():
    moody = Moody(MOODY, PATIENCE)
    report = await SiteCrawler(moody, FakeReader()).crawl("a.test", 20, None, Cursor().save, Clock())
    assert emails(report) == ["a@kestrelworks.com", "b@kestrelworks.com"] and report.pages == 6
    assert report.error == "Stopped: the server answered 429, which asks to be left alone and to come back in 10 seconds."
    assert {url.removeprefix("https://a.test"): asked for url, asked in moody.asked.items() if "sitemap" not in url} == {
        "/": 2,
        "/b": 2,
        "/never": 2,
    }


@pytest.mark.parametrize(("pause", "pages", "said"), [(PATIENCE + 1, 20, "in 11 seconds."), (1.0, 1, "in 1 second.")])
async def test_it_is_not_asked_again_for_long_or_over_the_cap(pause, pages, said):
    moody = Moody(MOODY, pause)
    report = await SiteCrawler(moody, FakeReader()).crawl("a.test", pages, None, Cursor().save, Clock())
    assert (report.status, report.pages, moody.asked["https://a.test/"]) == ("refused", 1, 1)
    assert report.error.endswith(said)


async def test_what_www_answered_is_said_to_be_of_www():
    async with world({"www.a.test": {}}) as lab:
        lab.names.add("a.test")
        report = await lab.crawl("a.test")
        assert (report.status, report.error) == ("unreachable", "www.a.test: the server answered 404 Not Found")


async def test_a_page_that_only_sends_its_readers_on_leads_there():
    site = {"/": '<head><meta http-equiv="refresh" content="0; url=/start.html"></head>', "/start.html": mail("a")}
    async with world({"a.test": site}, PageReader()) as lab:
        report = await lab.crawl("a.test")
        assert (emails(report), report.pages) == (["a@kestrelworks.com"], 2)
