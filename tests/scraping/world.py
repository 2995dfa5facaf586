"""Crawls of the lab: its web server and its name server, and a fetcher without pauses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.durable.contract import Json
from engine.net.dns import DnsResolver
from engine.net.reader import FakeReader, Reader
from engine.scraping.crawl import SiteCrawler
from engine.scraping.report import Report
from tests.lab.dns import DnsServer
from tests.lab.hurrying import hurried
from tests.lab.web import WebServer
from tests.net.fetching import QUICK, fetcher

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ZONES: dict[str, dict[str, Any]] = {"*.test": {"a": ["127.0.0.1"]}}
"""Every name below .test is the lab, but for those that say otherwise."""


class Killed(Exception):
    """The engine died here."""


@dataclass
class Cursor:
    """What a crawl saved; dies with the save of that number."""

    dies_at: int = 0
    states: list[Json] = field(default_factory=list)

    async def save(self, state: Json) -> None:
        self.states.append(json.loads(json.dumps(state)))
        if len(self.states) == self.dies_at:
            raise Killed


class Clock:
    """A moment that goes on by so many seconds whenever somebody looks."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.now, self.step = NOW, timedelta(seconds=seconds)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@dataclass
class World:
    """A crawler in the lab."""

    web: WebServer
    names: DnsServer
    crawler: SiteCrawler

    async def crawl(
        self,
        host: str,
        pages: int = 20,
        state: Json = None,
        cursor: Cursor | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> Report:
        """What comes of a host of the lab."""
        save = (cursor or Cursor()).save
        return await self.crawler.crawl(f"{host}:{self.web.port}", pages, state, save, now or Clock())

    def asked(self, host: str) -> list[str]:
        """The pages asked for at a host, in order; neither robots.txt nor sitemaps."""
        return [path for path in self.web.order(host) if path != "/robots.txt" and "sitemap" not in path]


@asynccontextmanager
async def world(
    sites: Mapping[str, Mapping[str, Any]], reader: Reader | None = None, private: bool = True
) -> AsyncIterator[World]:
    """A lab with these sites."""
    with DnsServer(ZONES) as names, WebServer(sites) as web:
        resolver = DnsResolver(names.servers)
        async with hurried(web, QUICK.seconds), fetcher(private, resolver.addresses, limits=QUICK) as fetching:
            crawler = SiteCrawler(fetching, reader or FakeReader(), resolver)
            try:
                yield World(web, names, crawler)
            finally:
                await crawler.close()


def page(*links: str, text: str = "") -> str:
    """A page with links, and its own text."""
    return f"<title>{text[:20]}</title><p>{text}</p>" + "".join(f'<a href="{link}">more</a> ' for link in links)


def mail(name: str, *links: str) -> str:
    """A page with one address."""
    return page(*links, text=f"Write to {name}@kestrelworks.com today.")


def emails(report: Report) -> list[str]:
    return [seen.email for seen in report.seen]
