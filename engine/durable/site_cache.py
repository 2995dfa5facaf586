"""The known sites as a door: what crawls found, read and written from batches without blocking their event loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from engine.durable import sites
from engine.durable.database import Database
from engine.durable.sites import KnownSite, SeenAddress, Vouched, site_key

__all__ = ["FakeSites", "KnownSite", "SeenAddress", "Sites", "StoredSites", "Vouched"]

Crawl = Callable[[], Awaitable[KnownSite]]


class Sites(Protocol):
    """What is known of websites. A domain is an ASCII host or host:port; with or without `www.` it is the same site."""

    async def find(self, domain: str) -> KnownSite | None:
        """What the last crawl of the domain found, however old; None without one."""

    async def save(self, site: KnownSite) -> None:
        """Keep what a crawl found; returns once it is on disk."""

    async def addresses(self, domain: str, before: int) -> list[Vouched]:
        """Addresses of a mail domain known to be valid mailboxes before a moment (ms), none of them made up; see `sites`."""

    async def crawled(self, domain: str, crawl: Crawl) -> KnownSite:
        """What a crawl finds, once it is kept. Whoever asks for a domain that is being crawled in this process shares it."""


class Flights:
    """Crawls under way, one per site. One goes on as long as anybody waits for it."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[KnownSite]] = {}
        self._waiting: Counter[str] = Counter()

    async def share(self, key: str, work: Crawl) -> KnownSite:
        """What the work gives, begun here or earlier."""
        task = self._tasks.get(key)
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = self._tasks[key] = asyncio.ensure_future(work())
            self._waiting[key] = 0
        self._waiting[key] += 1
        try:
            return await asyncio.shield(task)
        finally:
            if self._tasks.get(key) is task:
                self._waiting[key] -= 1
                if not self._waiting[key]:
                    self._land(key, task)

    def _land(self, key: str, task: asyncio.Task[KnownSite]) -> None:
        """Nobody waits any more: stop it where it still runs, and forget it."""
        task.cancel()
        del self._tasks[key], self._waiting[key]

    async def close(self) -> None:
        """Stop what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class StoredSites:
    """The known sites in the database; opened at first use, so that it can be made on any machine and in any process."""

    def __init__(self, open_database: Callable[[], Database]) -> None:
        self._open = open_database
        self._opened: Database | None = None
        self._flights = Flights()

    async def find(self, domain: str) -> KnownSite | None:
        """See Sites."""
        known: KnownSite | None = await self._call(sites.find, domain)
        return known

    async def save(self, site: KnownSite) -> None:
        """See Sites."""
        await self._call(sites.save, site)

    async def addresses(self, domain: str, before: int) -> list[Vouched]:
        """See Sites."""
        found: list[Vouched] = await self._call(sites.addresses, domain, before)
        return found

    async def crawled(self, domain: str, crawl: Crawl) -> KnownSite:
        """See Sites."""
        return await self._flights.share(site_key(domain), _kept(self, crawl))

    async def close(self) -> None:
        """Stop crawls and close the database."""
        await self._flights.close()
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        def work() -> Any:
            if self._opened is None:
                self._opened = self._open()
            return function(self._opened, *arguments)

        return await asyncio.to_thread(work)


class FakeSites:
    """The known sites in memory, for tests. `vouched` are the verified addresses of each mail domain."""

    def __init__(self, known: Mapping[str, KnownSite] | None = None, vouched: Mapping[str, list[Vouched]] | None = None) -> None:
        self.known = {site_key(domain): site for domain, site in (known or {}).items()}
        self.vouched = dict(vouched or {})
        self.saved: list[KnownSite] = []
        self._flights = Flights()

    async def find(self, domain: str) -> KnownSite | None:
        """See Sites."""
        return self.known.get(site_key(domain))

    async def save(self, site: KnownSite) -> None:
        """See Sites."""
        self.saved.append(site)
        self.known[site_key(site.domain)] = replace(site, domain=site_key(site.domain))

    async def addresses(self, domain: str, before: int) -> list[Vouched]:
        """See Sites."""
        return sorted(one for one in self.vouched.get(domain, []) if one.verified_at < before)

    async def crawled(self, domain: str, crawl: Crawl) -> KnownSite:
        """See Sites."""
        return await self._flights.share(site_key(domain), _kept(self, crawl))


def _kept(door: Sites, crawl: Crawl) -> Crawl:
    async def work() -> KnownSite:
        site = await crawl()
        await door.save(site)
        return site

    return work
