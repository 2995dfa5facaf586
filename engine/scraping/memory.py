"""What a crawl knows so far, and how it is saved: a killed crawl goes on from there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime
from typing import Self

from engine.durable.clock import to_ms
from engine.durable.contract import Json
from engine.scraping.frontier import Entry, Frontier
from engine.scraping.report import Seen, SiteStatus

MOST_SEEN = 10_000
"""Addresses of one site that are kept."""
MOST_NEAR = 240
"""Characters beside one address that are kept, of all pages."""
SAVE_PAGES = 5
SAVE_MS = 2_000


@dataclass
class Memory:
    """A crawl so far.

    `site` is the registrable domain that is crawled, "" before the first page; `origin` where its robots.txt is. `failures` are
    those in a row. `home` is the status that the first page's failure means, with its sentence in `note`; `note` is also why the
    crawl ended early. `bodies` are digests of pages, `sitemaps` says whether the sitemaps were read. `troubles` counts outcomes
    of pages that could not be read.
    """

    frontier: Frontier
    site: str = ""
    origin: str = ""
    pages: int = 0
    read: int = 0
    failures: int = 0
    home: SiteStatus | None = None
    note: str = ""
    ended: bool = False
    sitemaps: bool = False
    bodies: set[str] = field(default_factory=set)
    seen: dict[str, Seen] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, state: Json, pages: int) -> Self:
        """From what was saved; nothing was when `state` is empty. `pages` is the cap of the crawl."""
        most = 5 * pages + 100
        if not state:
            return cls(Frontier(most))
        plain = dict(state)
        frontier = Frontier(most, [Entry(*row) for row in plain.pop("frontier")], plain.pop("done"))
        seen = {row[0]: Seen(*row) for row in plain.pop("seen")}
        return cls(frontier, bodies=set(plain.pop("bodies")), seen=seen, troubles=Counter(plain.pop("troubles")), **plain)

    def state(self) -> Json:
        """To be saved."""
        return {
            "frontier": [list(entry) for entry in self.frontier.waiting()],
            "done": sorted(self.frontier.done),
            "site": self.site,
            "origin": self.origin,
            "pages": self.pages,
            "read": self.read,
            "failures": self.failures,
            "home": self.home,
            "note": self.note,
            "ended": self.ended,
            "sitemaps": self.sitemaps,
            "bodies": sorted(self.bodies),
            "seen": [list(astuple(seen)) for seen in self.seen.values()],
            "troubles": dict(self.troubles),
        }

    def saw(self, seen: Seen) -> None:
        """An address was found; where it was found first is what counts, and the text beside it anywhere."""
        key = seen.email.lower()
        known = self.seen.get(key)
        if known is None:
            if len(self.seen) < MOST_SEEN:
                self.seen[key] = seen
        elif seen.near not in known.near and len(near := f"{known.near} | {seen.near}" if known.near else seen.near) <= MOST_NEAR:
            self.seen[key] = replace(known, near=near)

    def end(self, note: str) -> None:
        """The crawl ends before its time."""
        self.ended = True
        self.note = note


class Keeper:
    """Saves a crawl every few pages, and when the last time was long ago."""

    def __init__(self, save: Callable[[Json], Awaitable[None]], now: Callable[[], datetime], memory: Memory) -> None:
        self._save, self._now, self._memory = save, now, memory
        self._pages, self._at = memory.pages, to_ms(now())

    async def keep(self) -> None:
        """Save if it is time."""
        at = to_ms(self._now())
        if self._memory.pages - self._pages >= SAVE_PAGES or at - self._at > SAVE_MS:
            await self._save(self._memory.state())
            self._pages, self._at = self._memory.pages, to_ms(self._now())
