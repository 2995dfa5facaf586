"""One crawl of one site: its first page, what that leads to, and what is made of each page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from engine.durable.clock import to_ms
from engine.mail.page import Page, canonical_url, registrable
from engine.mail.page.domains import is_top_level
from engine.mail.page.urls import host_of
from engine.net.http import SITEMAPS, Fetched, Fetcher, Outcome, start_urls
from engine.net.reader import Order, Reader, Unreadable
from engine.scraping.frontier import Entry, key, rank
from engine.scraping.memory import MOST_SEEN, Keeper, Memory
from engine.scraping.report import Report, Seen, SiteStatus

FAILURES = 5
"""Failures in a row after which a site is left alone."""
PATIENCE = 10.0
"""Seconds within which a page is asked for once more where the server names them as Retry-After."""
CHILDREN = 4
"""Sitemaps that are read of those that an index names."""
_FAILED = frozenset({Outcome.SLOW, Outcome.UNREACHABLE, Outcome.REFUSED, Outcome.REDIRECT_LOOP})
_NEVER_SENT = frozenset({Outcome.REFUSED, Outcome.BLOCKED_BY_ROBOTS})
_HOPELESS: dict[Outcome, SiteStatus] = {
    Outcome.BLOCKED_BY_ROBOTS: "blocked_by_robots",
    Outcome.REFUSED: "refused",
    Outcome.TOO_BIG: "refused",
    Outcome.WRONG_TYPE: "refused",
}


class Visit:
    """A crawl of a site of which at most `most` pages are asked for; `memory` is what is known of it so far."""

    def __init__(
        self, fetcher: Fetcher, reader: Reader, domain: str, most: int, memory: Memory, now: Callable[[], datetime]
    ) -> None:
        self._fetcher, self._reader, self._now = fetcher, reader, now
        self._domain, self._most, self._memory = domain, most, memory

    async def run(self, keeper: Keeper) -> Report:
        """Crawl to the end."""
        memory = self._memory
        if not memory.site:
            await self._begin()
        while self._goes_on:
            await keeper.keep()
            entry = await self._next()
            if entry is None:
                break
            await self._visit(entry)
        return self._report()

    @property
    def _goes_on(self) -> bool:
        return self._memory.pages < self._most and not self._memory.ended

    async def _begin(self) -> None:
        """The first page, by https or else by http; where the host cannot even be asked, of its `www.`."""
        memory = self._memory
        tries = await self._first_page(self._domain)
        if not tries:
            memory.home, memory.site = "refused", self._domain
            memory.end(f"{self._domain[:64]} is not a domain, such as example.com")
            return
        unasked = not memory.pages and all(each.outcome is Outcome.UNREACHABLE for each in tries)
        if unasked and _may_be_at_www(self._domain):
            tries = await self._at_www() or tries
        fetched = tries[-1]
        memory.site, memory.origin = registrable(host_of(fetched.url)), fetched.url
        if await self._take(fetched, 0) or memory.ended:
            return
        memory.home, memory.note = _HOPELESS.get(fetched.outcome, "unreachable"), memory.note or _told(tries, self._domain)
        if fetched.outcome is Outcome.OK:
            memory.home = "refused"
        memory.ended = fetched.outcome in _FAILED or fetched.status >= 500

    async def _at_www(self) -> list[Fetched]:
        """What came of the tries at `www.`; none where nobody is there either."""
        tries = await self._first_page(f"www.{self._domain}")
        return tries if self._memory.pages or not all(map(_is_nobody_there, tries)) else []

    async def _first_page(self, domain: str) -> list[Fetched]:
        """What came of each try to get the first page of a domain; none where it is no domain."""
        memory, tries = self._memory, []
        for url in start_urls(domain):
            fetched = await self._ask(url)
            tries.append(fetched)
            memory.frontier.finish(url)
            if not _is_nobody_there(fetched) or memory.pages >= self._most:
                break
        return tries

    async def _next(self) -> Entry | None:
        """The next page; the sitemaps are asked once no page that promises addresses is left."""
        if not self._memory.sitemaps and not self._memory.frontier.promising:
            await self._read_sitemaps()
        return None if self._memory.ended else self._memory.frontier.next()

    async def _visit(self, entry: Entry) -> None:
        await self._take(await self._ask(entry.url), entry.depth)

    async def _ask(self, url: str) -> Fetched:
        """What came of a page; of its second try where the server asks for a short pause, which the fetcher makes."""
        memory = self._memory
        await self._reader.room()
        fetched = await self._fetcher.fetch(url)
        memory.pages += await self._was_sent(fetched)
        if fetched.retry_after is not None and fetched.retry_after <= PATIENCE and memory.pages < self._most:
            fetched = await self._fetcher.fetch(url)
            memory.pages += await self._was_sent(fetched)
        return fetched

    async def _was_sent(self, fetched: Fetched) -> bool:
        """Whether a fetch asked for a page on the wire, and not only for robots.txt."""
        if fetched.status or fetched.redirects:
            return True
        if fetched.outcome in _NEVER_SENT:
            return False
        return fetched.outcome is Outcome.OK or (await self._fetcher.robots(fetched.url)).trouble is None

    async def _take(self, fetched: Fetched, depth: int) -> bool:
        """Make use of what was fetched; whether it could be read."""
        memory = self._memory
        if fetched.outcome is not Outcome.OK:
            self._fail(fetched)
            return False
        memory.failures = 0
        if registrable(host_of(fetched.url)) != memory.site:
            memory.troubles["elsewhere"] += 1
            return False
        url = canonical_url(fetched.url) or fetched.url
        digest = hashlib.blake2b(fetched.body, digest_size=8).hexdigest()
        fresh = memory.frontier.finish(url) or key(url) == key(_asked(fetched))
        if digest in memory.bodies or not fresh:
            memory.read += 1
            return True
        memory.bodies.add(digest)
        return await self._read(fetched, url, depth)

    async def _read(self, fetched: Fetched, url: str, depth: int) -> bool:
        memory = self._memory
        what: Literal["page", "text"] = "text" if fetched.kind == "text/plain" else "page"
        page = await self._reader.page(Order(what, fetched.body, url, fetched.charset, self._own_tlds(url)))
        if isinstance(page, Unreadable):
            memory.troubles["unreadable"] += 1
            memory.note = memory.note or page.reason
            return False
        memory.read += 1
        self._saw(page, url)
        if page.canonical.partition("?")[0] == url.partition("?")[0]:
            memory.frontier.finish(page.canonical)  # it names itself without its query
        if not page.nofollow:
            for link in page.links:
                if registrable(host_of(link.url)) == memory.site:
                    memory.frontier.add(link.url, rank(link.priority), depth + 1)
        return True

    def _saw(self, page: Page, url: str) -> None:
        at = to_ms(self._now())
        for sighting in page.sightings:
            found = sighting.found_as, sighting.role, sighting.free
            self._memory.saw(Seen(sighting.email, url, page.title, *found, at, sighting.near))
        if len(self._memory.seen) >= MOST_SEEN:
            self._memory.end(f"Stopped at {MOST_SEEN:,} addresses; there may be more.")

    def _own_tlds(self, url: str) -> tuple[str, ...]:
        """The top level of a site that is not public, as in an intranet: as it led here, addresses may have it, too."""
        head, _, label = host_of(url).rpartition(".")
        return (label,) if head and label.isalpha() and not is_top_level(label) else ()

    def _fail(self, fetched: Fetched) -> None:
        """A page could not be had; some failures mean that the site had better be left alone."""
        memory = self._memory
        memory.troubles[fetched.outcome.value] += 1
        if fetched.status == 429 or (fetched.status == 503 and fetched.retry_after is not None):
            memory.home = memory.home or "refused"
            seconds = f"{fetched.retry_after or 0:.0f}"
            when = f" and to come back in {seconds} second{'' if seconds == '1' else 's'}"
            wait = "" if fetched.retry_after is None else when
            memory.end(f"Stopped: the server answered {fetched.status}, which asks to be left alone{wait}.")
        elif fetched.outcome in _FAILED or fetched.status >= 500:
            memory.failures += 1
            if memory.failures >= FAILURES:
                memory.end(f"Stopped after {FAILURES} failures in a row, the last one: {fetched.detail}.")

    async def _read_sitemaps(self) -> None:
        """Add the pages of the sitemaps that robots.txt names, or of the one in the usual place."""
        memory = self._memory
        memory.sitemaps = True
        named = (await self._fetcher.robots(memory.origin)).sitemaps
        here = [url for url in named if registrable(host_of(url)) == memory.site]
        waiting = here[: CHILDREN + 1] or ["/".join(memory.origin.split("/", 3)[:3]) + "/sitemap.xml"]
        asked: set[str] = set()
        while waiting and len(asked) <= CHILDREN and not memory.ended:
            url = waiting.pop(0)
            if url not in asked:
                asked.add(url)
                waiting += await self._read_sitemap(url)

    async def _read_sitemap(self, url: str) -> list[str]:
        """Add the pages of one sitemap; those that it names if it is an index, those of pages first."""
        fetched = await self._fetcher.fetch(url, kinds=SITEMAPS)
        if fetched.outcome is not Outcome.OK:
            if fetched.status in (429, 503):
                self._fail(fetched)
            return []
        found = await self._reader.sitemap(Order("sitemap", fetched.body, fetched.url))
        if isinstance(found, Unreadable):
            return []
        for link in found.links:
            if registrable(host_of(link.url)) == self._memory.site:
                self._memory.frontier.add(link.url, rank(link.priority, in_sitemap=True), 1)
        return sorted(found.children[:1_000], key=lambda child: "page" not in child)[:CHILDREN]

    def _report(self) -> Report:
        memory = self._memory
        if memory.seen:
            return Report(self._domain, "found", memory.note if memory.ended else "", tuple(memory.seen.values()), memory.pages)
        if memory.read:
            return Report(self._domain, "no_addresses", self._nothing(), (), memory.pages)
        return Report(self._domain, memory.home or "unreachable", memory.note, (), memory.pages)

    def _nothing(self) -> str:
        memory = self._memory
        pages = f"the {memory.read} pages that were read" if memory.read > 1 else "the only page that was read"
        unread = {name: count for name, count in memory.troubles.items() if count}
        others = f"; not read: {', '.join(f'{count} × {name}' for name, count in sorted(unread.items()))}" if unread else ""
        return f"No address on {pages}{others}." + (f" {memory.note}" if memory.ended else "")


def _asked(fetched: Fetched) -> str:
    """The URL that was asked for, before redirects."""
    return fetched.redirects[0] if fetched.redirects else fetched.url


def _is_nobody_there(fetched: Fetched) -> bool:
    """Whether there was no answer at all, so that another way to the same site may be tried."""
    return not fetched.status and fetched.outcome in (Outcome.UNREACHABLE, Outcome.SLOW)


def _may_be_at_www(domain: str) -> bool:
    """Whether a `host` or `host:port` is a name that may have a `www.` before it."""
    host = domain.rpartition(":")[0] or domain
    return "." in host and not host.startswith("www.") and not host.rpartition(".")[2].isdigit()


def _told(tries: list[Fetched], domain: str) -> str:
    """Why the first page of a domain is not there: what was answered, else what came of each way."""
    if not _is_nobody_there(tries[-1]):
        host, detail = host_of(_asked(tries[-1])), tries[-1].detail
        return detail if host in detail or host != f"www.{domain.rpartition(':')[0] or domain}" else f"{host}: {detail}"
    said = {fetched.detail: fetched.url.partition(":")[0] for fetched in tries}
    if len(said) == 1:
        return tries[-1].detail
    return "; ".join(f"{scheme}: {detail}" for detail, scheme in said.items())
