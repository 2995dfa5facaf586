"""The fetcher: pages of the web, politely and within limits, each with what came of it."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import httpx

from engine.net import calls, robots
from engine.net.guard import Guard, Resolve, transport
from engine.net.http_body import Reading, retry_after
from engine.net.http_exchange import Answer, Asking, exchange
from engine.net.http_lanes import KEEPALIVE, Lanes
from engine.net.http_outcome import Outcome, Trouble
from engine.net.http_urls import BadUrl, Target, start_urls, target
from engine.net.robots import Robots, RobotsCache
from engine.version import VERSION

__all__ = [
    "PAGES",
    "SITEMAPS",
    "FakeFetcher",
    "Fetched",
    "Fetcher",
    "Limits",
    "Outcome",
    "Robots",
    "WebFetcher",
    "start_urls",
    "user_agent",
]

PAGES = ("text/", "application/xhtml", "application/xml")
"""Prefixes of the media types that may hold a page."""
SITEMAPS = ("application/xml", "text/xml", "text/plain", "application/gzip", "application/x-gzip")
"""Those of sitemaps; gzip files come unpacked."""
PORTS = (80, 443)
REFUSALS = frozenset({401, 403, 451})
ACCEPTED = (("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.1"), ("Accept-Encoding", "gzip, deflate"))


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of a fetch.

    `url` is where it ended, `redirects` are the URLs that led there, oldest first; `status` is the last HTTP status, 0 without
    one. `body` (decoded, at most 5 MB), `kind` (media type) and `charset` (its name in Python, if the header has one) are there
    when the outcome is ok. `detail` is a sentence, empty when all is well. `retry_after` is in seconds, if the server named it.
    """

    url: str
    status: int = 0
    body: bytes = b""
    charset: str | None = None
    kind: str = ""
    outcome: Outcome = Outcome.OK
    detail: str = ""
    redirects: tuple[str, ...] = ()
    retry_after: float | None = None


class Fetcher(Protocol):
    """Fetches pages; no method raises for what the web does."""

    async def fetch(self, url: str, *, kinds: tuple[str, ...] = PAGES) -> Fetched:
        """The page at an absolute URL, with redirects followed; robots.txt is obeyed. `kinds` are prefixes of media types."""

    async def robots(self, url: str) -> Robots:
        """What the robots.txt of the URL's origin says; its sitemaps, too."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one fetch: seconds on the wire in all and for a connection, bytes on the wire and decoded, redirects."""

    seconds: float = 20.0
    connect: float = 10.0
    wire: int = 2_000_000
    decoded: int = 5_000_000
    redirects: int = 5


LIMITS = Limits()


def user_agent(about: str) -> str:
    """The User-Agent: this product, with its robots token as RFC 9309 section 2.2.1 has it, and the URL of a page about it."""
    return f"{robots.TOKEN}/{VERSION} (+{about})"


class WebFetcher:
    """Fetches from the web, through the guard, one connection and one fetch at a time for a host; keeps no cookies.

    `user_agent` names the product and a URL. Between two requests to a host `delay` seconds pass, or as many as its robots.txt
    names, up to `max_delay`; waiting does not count against a fetch's time. At most `concurrency` hosts are asked at once.
    `resolve` finds addresses (the system by default), `context` replaces the TLS context. `clock` (seconds that never go back)
    and `sleep` serve the pauses and the age of robots.txt, `wall` (Unix time) reads dates. One event loop at a time, any number
    one after another. `counts` counts `fetches`, those of each outcome, `requests` on the wire and those of them for `robots`.
    """

    def __init__(
        self,
        guard: Guard,
        resolve: Resolve | None = None,
        *,
        user_agent: str,
        delay: float = 1.0,
        max_delay: float = 30.0,
        concurrency: int = 100,
        limits: Limits = LIMITS,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._guard, self._resolve, self._context = guard, resolve, context
        self._headers = (("User-Agent", user_agent), *ACCEPTED)
        self._delay, self._max_delay, self._concurrency, self._limits = min(delay, max_delay), max_delay, concurrency, limits
        self._clock, self._sleep, self._wall = clock, sleep, wall
        self._robots = RobotsCache(self._load_robots, clock)
        self._lanes: Lanes | None = None

    async def fetch(self, url: str, *, kinds: tuple[str, ...] = PAGES) -> Fetched:
        """See Fetcher."""
        self._here()
        trail: list[str] = []
        fetched = await self._follow(url, trail, Reading(kinds, self._limits.wire, self._limits.decoded))
        self.counts["fetches"] += 1
        self.counts[fetched.outcome.value] += 1
        return replace(fetched, redirects=tuple(trail))

    async def robots(self, url: str) -> Robots:
        """See Fetcher."""
        self._here()
        try:
            return await self._robots.of(target(url))
        except BadUrl as error:
            return Robots(trouble=Outcome.REFUSED, detail=str(error))

    async def close(self) -> None:
        """Close all connections; fetches under way fail. The fetcher may be used again afterwards."""
        await self._robots.close()
        lanes, self._lanes = self._lanes, None
        if lanes is not None and lanes.loop is asyncio.get_running_loop():
            await lanes.close()

    def _here(self) -> Lanes:
        """The lanes of the running loop; those of a loop that has ended are forgotten."""
        if self._lanes is None or self._lanes.loop is not asyncio.get_running_loop():
            self._lanes = Lanes(self._connect, self._concurrency, self._max_delay, self._clock, self._sleep)
            self._robots.leave()
            # One for all hosts: it takes long to read the authorities, and no fetch's time is to pass by that.
            self._context = self._context or httpx.create_ssl_context(trust_env=False)
        return self._lanes

    def _connect(self) -> httpx.AsyncBaseTransport:
        """A transport for one host."""
        single = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE)
        return transport(self._guard, self._resolve, ports=PORTS, context=self._context, limits=single)

    async def _follow(self, url: str, trail: list[str], reading: Reading) -> Fetched:
        """Fetch the URL and what it redirects to; `trail` gets the URLs that redirected."""
        left, status = self._limits.seconds, 0
        try:
            place = target(url)
            while True:
                url = place.url
                rules = await self._permission(place)
                answer, seconds = await self._ask(place, reading, self._pause_of(rules), left)
                left, status = left - seconds, answer.status
                if not answer.location:
                    return self._result(url, answer)
                trail.append(url)
                url = answer.location[:2_048]
                place = self._next(place, answer, trail)
        except BadUrl as error:
            return Fetched(url, status, outcome=Outcome.REFUSED, detail=str(error))
        except Trouble as trouble:
            return Fetched(url, trouble.status or status, outcome=trouble.outcome, detail=str(trouble))

    def _next(self, place: Target, answer: Answer, trail: Iterable[str]) -> Target:
        """Where an answer redirects to.

        Raises:
            BadUrl, Trouble: nowhere that may be fetched; back; or too often.
        """
        there = target(answer.location, place)
        before = set(trail)
        if there.url in before:
            raise Trouble(Outcome.REDIRECT_LOOP, f"the redirects come back to {there.url[:200]}")
        if len(before) > self._limits.redirects:
            raise Trouble(Outcome.REDIRECT_LOOP, f"more than {self._limits.redirects} redirects")
        return there

    async def _permission(self, place: Target) -> Robots:
        """The robots.txt that allows this URL.

        Raises:
            Trouble: it does not.
        """
        rules = await self._robots.of(place)
        if rules.trouble is not None:
            raise Trouble(rules.trouble, rules.detail)
        if not rules.allows(place.url):
            raise Trouble(Outcome.BLOCKED_BY_ROBOTS, f"the robots.txt of {place.host} forbids this page")
        return rules

    def _pause_of(self, rules: Robots) -> float:
        return self._delay if rules.delay is None else min(rules.delay, self._max_delay)

    async def _ask(self, place: Target, reading: Reading, delay: float, seconds: float) -> tuple[Answer, float]:
        """An answer and the seconds that it took, the waiting for its turn not counted."""
        asking = Asking(self._headers, self._limits.connect, max(seconds, 0.001), reading)
        async with self._here().turn(place.place, delay) as lane:
            self.counts["requests"] += 1
            calls.note("http")
            begin = time.monotonic()
            answer = await exchange(lane, place, asking)
            if (wait := self._retry_after(answer)) is not None:
                lane.due = self._clock() + min(wait, self._max_delay)
            return answer, time.monotonic() - begin

    def _retry_after(self, answer: Answer) -> float | None:
        if answer.status not in (429, 503) or "retry-after" not in answer.headers:
            return None
        return retry_after(answer.headers["retry-after"], answer.headers.get("date", ""), self._wall())

    def _result(self, url: str, answer: Answer) -> Fetched:
        """What an answer that is no redirect amounts to."""
        if 200 <= answer.status < 300:
            detail = "the page broke off; what had come is kept" if answer.broken else ""
            return Fetched(url, answer.status, answer.body, answer.charset, answer.kind, detail=detail)
        outcome = Outcome.REFUSED if answer.status in REFUSALS else Outcome.HTTP_ERROR
        detail = f"the server answered {answer.status} {httpx.codes.get_reason_phrase(answer.status)}".rstrip()
        return Fetched(url, answer.status, outcome=outcome, detail=detail, retry_after=self._retry_after(answer))

    async def _load_robots(self, place: Target) -> Robots:
        """Fetch and read the robots.txt of an origin (RFC 9309 section 2.3.1)."""
        here, left = target("/robots.txt", place), self._limits.seconds
        reading = Reading((), self._limits.wire, robots.LARGEST + 1, cut=True)
        try:
            for _ in range(self._limits.redirects + 1):
                self.counts["robots"] += 1
                answer, seconds = await self._ask(here, reading, self._delay, left)
                left -= seconds
                if not answer.location:
                    return await _read_robots(place, answer)
                here = target(answer.location, here)
        except BadUrl:
            return Robots()  # it leads nowhere: there is none
        except Trouble as trouble:
            return Robots(trouble=trouble.outcome, detail=str(trouble))
        return Robots()  # too many redirects: there is none


async def _read_robots(place: Target, answer: Answer) -> Robots:
    """What an answer for a robots.txt means: none for 4xx, nothing allowed for 5xx (RFC 9309 sections 2.3.1.3 and 2.3.1.4)."""
    if answer.status >= 500:
        detail = f"the robots.txt of {place.host} answers {answer.status}; until it can be read, nothing is fetched"
        return Robots(trouble=Outcome.BLOCKED_BY_ROBOTS, detail=detail)
    if not 200 <= answer.status < 300:
        return Robots()
    if len(answer.body) > robots.LARGE:
        return await asyncio.to_thread(robots.parse, answer.body, place)
    return robots.parse(answer.body, place)


class FakeFetcher:
    """A fetcher that knows what it is told: a page's bytes (HTML), or what comes of its URL; others are not found (404).

    A `/robots.txt` among the pages is obeyed. `asked` counts the fetches of each URL.
    """

    def __init__(self, pages: Mapping[str, bytes | Fetched]) -> None:
        self._pages = dict(pages)
        self.asked: Counter[str] = Counter()

    async def fetch(self, url: str, *, kinds: tuple[str, ...] = PAGES) -> Fetched:
        """See Fetcher."""
        self.asked[url] += 1
        try:
            rules = _told_robots(self._pages, target(url))
        except BadUrl as error:
            return Fetched(url, outcome=Outcome.REFUSED, detail=str(error))
        if not rules.allows(url):
            return Fetched(url, outcome=Outcome.BLOCKED_BY_ROBOTS, detail="robots.txt forbids this page")
        told = self._pages.get(url, Fetched(url, 404, outcome=Outcome.HTTP_ERROR, detail="the server answered 404 Not Found"))
        return told if isinstance(told, Fetched) else Fetched(url, 200, told, "utf-8", "text/html")

    async def robots(self, url: str) -> Robots:
        """See Fetcher."""
        try:
            return _told_robots(self._pages, target(url))
        except BadUrl as error:
            return Robots(trouble=Outcome.REFUSED, detail=str(error))


def _told_robots(pages: Mapping[str, bytes | Fetched], place: Target) -> Robots:
    told = pages.get(f"{place.origin}/robots.txt", b"")
    return robots.parse(told if isinstance(told, bytes) else told.body, place)
