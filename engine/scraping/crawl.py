"""The crawler: what a domain's website publishes, politely, within a number of pages; it can be killed and goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from engine.durable.contract import Json
from engine.net.http import Fetcher
from engine.net.reader import Reader
from engine.scraping.memory import Keeper, Memory
from engine.scraping.report import Report
from engine.scraping.visit import Visit

Save = Callable[[Json], Awaitable[None]]


class Crawler(Protocol):
    """Crawls sites; does not raise for what the web does."""

    async def crawl(self, domain: str, pages: int, state: Json, save: Save, now: Callable[[], datetime]) -> Report:
        """What came of a domain (ASCII `host` or `host:port`), at most so many of its pages read.

        `state` is what an earlier, killed crawl of it gave to `save`, None for a fresh one; no page whose outcome is in there is
        fetched again.
        """


class SiteCrawler:
    """A crawler over a fetcher and a reader. `others` are closed with them.

    Order: the home page; then by promise (contact, imprint, people, press, legal), by what sitemaps name, and by depth. For the
    same site it is always the same.
    """

    def __init__(self, fetcher: Fetcher, reader: Reader, *others: Any) -> None:
        self._fetcher, self._reader = fetcher, reader
        self._doors = (fetcher, reader, *others)

    async def crawl(self, domain: str, pages: int, state: Json, save: Save, now: Callable[[], datetime]) -> Report:
        """See Crawler."""
        memory = Memory.of(state, pages)
        visit = Visit(self._fetcher, self._reader, domain, pages, memory, now)
        return await visit.run(Keeper(save, now, memory))

    async def close(self) -> None:
        """Let go of connections and processes."""
        for door in self._doors:
            if close := getattr(door, "close", None):
                await close()


class FakeCrawler:
    """A crawler that knows what it is told; other domains are unreachable. `asked` counts the crawls of each domain."""

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self._reports = dict(reports)
        self.asked: Counter[str] = Counter()

    async def crawl(self, domain: str, pages: int, state: Json, save: Save, now: Callable[[], datetime]) -> Report:
        """See Crawler."""
        self.asked[domain] += 1
        return self._reports.get(domain) or Report(domain, "unreachable", f"{domain} has no address")
