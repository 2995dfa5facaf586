"""What a site lets robots do: robots.txt (RFC 9309), read with Protego and remembered for a day."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from protego import Protego

from engine.net.http_outcome import CLOSED, Outcome
from engine.net.http_urls import BadUrl, Target, target

TOKEN = "postbench"
"""The name by which robots.txt files call this robot (RFC 9309 section 2.2.1)."""
LARGEST = 500 * 1024
"""Bytes of a robots.txt that are read (RFC 9309 section 2.5)."""
LIFETIME = 86_400.0
"""Seconds that one is remembered (RFC 9309 section 2.4)."""
TROUBLE_LIFETIME = 600.0
"""Seconds that one is taken to be out of reach after it was."""
SITEMAPS = 100
"""Sitemaps of one site that are looked at."""
LARGE = 32 * 1024
"""Bytes from which on one is parsed beside the event loop."""
_AGENT = re.compile(r"user[- ]?agent(?:\s*:|\s)\s*(.*)", re.IGNORECASE)
_SITEWIDE = re.compile(r"(?:site-?maps?|host)\s*[:\s]", re.IGNORECASE)
_FIELD = re.compile(r"(?:[a-z][a-z -]*:|(?:dis)?allow\s|crawl[- ]delay\s)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Robots:
    """What one origin lets this robot do; by default everything.

    `delay` is in seconds, None where none is named. With a `trouble` nothing may be fetched, and `detail` says why.
    """

    rules: Protego | None = None
    delay: float | None = None
    sitemaps: tuple[str, ...] = ()
    trouble: Outcome | None = None
    detail: str = ""
    weight: int = 1
    """How much room it takes, about in bytes."""

    def allows(self, url: str) -> bool:
        """Whether this URL of the origin may be fetched."""
        return self.trouble is None and (self.rules is None or self.rules.can_fetch(url, TOKEN))


def parse(body: bytes, origin: Target) -> Robots:
    """What the robots.txt of an origin says to this robot; what cannot be read says nothing (RFC 9309 section 2.2)."""
    text = own_lines(body[:LARGEST].decode("utf-8-sig", "replace"), whole=len(body) <= LARGEST)
    rules = Protego.parse(text)
    delay, rate = rules.crawl_delay(TOKEN), rules.request_rate(TOKEN)
    if rate is not None:
        delay = max(delay or 0.0, rate.seconds / rate.requests)
    sitemaps: dict[str, None] = {}
    for url in islice(rules.sitemaps, SITEMAPS):
        with suppress(BadUrl):
            sitemaps[target(url, origin).url] = None
    return Robots(rules, delay, tuple(sitemaps), weight=64 + len(text))


def own_lines(text: str, whole: bool = True) -> str:
    """The lines of a robots.txt that concern this robot or the whole site; without the last one if it is cut off.

    Protego takes `User-agent: post` to mean a robot called `postbench`, and `postbench/1.0` not to; RFC 9309 section 2.2.1
    compares whole product tokens. What speaks to others is not parsed at all: a file of many agents and many rules would cost
    their product.
    """
    lines = text.splitlines()
    kept, naming, ours = [], False, False
    for line in lines if whole else lines[:-1]:
        line = line.partition("#")[0].strip()
        if agent := _AGENT.match(line):
            ours = naming and ours
            naming = True
            if name := _token(agent[1]):
                ours = True
                kept.append(f"User-agent: {name}")
        elif _SITEWIDE.match(line):
            kept.append(line)
        elif _FIELD.match(line):
            naming = False
            if ours:
                kept.append(line)
    return "\n".join(kept)


def _token(value: str) -> str:
    """The agent if it is this robot or every robot, else empty."""
    if value.split(maxsplit=1)[:1] == ["*"]:
        return "*"
    token = re.match(r"[A-Za-z_-]*", value)
    return TOKEN if token and token[0].lower() == TOKEN else ""


Load = Callable[[Target], Awaitable[Robots]]
"""Fetches and parses the robots.txt of a URL's origin; raises nothing for what the web does."""


class RobotsCache:
    """Every origin's robots.txt, loaded once however many ask for it, and kept for a day (ten minutes if it is out of reach).

    At most `count` are kept, of about `room` bytes together; those unused for longest make room. `clock` gives seconds that never
    go back. One event loop at a time.
    """

    def __init__(self, load: Load, clock: Callable[[], float], *, count: int = 10_000, room: int = 8 << 20) -> None:
        self._load, self._clock = load, clock
        self._count, self._room, self._held = count, room, 0
        self._known: dict[str, tuple[float, Robots]] = {}  # least recently used first
        self._flights: dict[str, asyncio.Task[Robots]] = {}

    async def of(self, place: Target) -> Robots:
        """What the URL's origin says."""
        origin = place.origin
        entry = self._known.pop(origin, None)
        if entry is not None:
            if entry[0] > self._clock():
                self._known[origin] = entry
                return entry[1]
            self._held -= entry[1].weight
        flight = self._flights.get(origin)
        if flight is None:
            flight = self._flights[origin] = asyncio.create_task(self._fly(place))
        try:
            return await asyncio.shield(flight)  # who stops waiting does not stop the fetch that others wait for
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if flight.cancelled() and task is not None and not task.cancelling():
                return Robots(trouble=Outcome.UNREACHABLE, detail=CLOSED)
            raise

    async def close(self) -> None:
        """End what is under way; what is known stays known."""
        flights, self._flights = list(self._flights.values()), {}
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def leave(self) -> None:
        """Forget what is under way in an event loop that has ended."""
        self._flights = {}

    def __len__(self) -> int:
        return len(self._known)

    async def _fly(self, place: Target) -> Robots:
        flights = self._flights
        try:
            robots = await self._load(place)
            self._keep(place.origin, robots)
            return robots
        finally:
            flights.pop(place.origin, None)

    def _keep(self, origin: str, robots: Robots) -> None:
        self._known[origin] = (self._clock() + (TROUBLE_LIFETIME if robots.trouble else LIFETIME), robots)
        self._held += robots.weight
        while len(self._known) > self._count or (self._held > self._room and len(self._known) > 1):
            self._held -= self._known.pop(next(iter(self._known)))[1].weight
