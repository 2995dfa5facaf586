"""The frontier of a crawl: which page comes next, each page once under all of its spellings."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from typing import NamedTuple

_INDEX = re.compile(r"/(?:index|default|home)\.(?:html?|php|aspx?|jsp)$")
PROMISING = 2 * 5
"""Ranks below this one are of pages that promise addresses; see `rank`."""


def rank(priority: int, in_sitemap: bool = False) -> int:
    """The place of a link in the order of a crawl: what promises comes first, then what the sitemap names, then the rest.

    `priority` is that of `engine.mail.page.Link`: 0 to 4 for promising pages, 5 for others, 6 for unlikely ones.
    """
    return 2 * priority - (in_sitemap and 2 * priority >= PROMISING)


def key(url: str) -> str:
    """What is the same for all spellings of a page: the canonical URL without scheme, `www.`, index file and last slash."""
    path, question, query = url.partition("://")[2].removeprefix("www.").partition("?")
    return _INDEX.sub("/", path).rstrip("/") + question + query


class Entry(NamedTuple):
    """A page to fetch; the smallest comes first."""

    rank: int
    depth: int
    order: int
    url: str


class Frontier:
    """Pages to fetch and the keys of those that are done with. Keeps about the best `most` only."""

    def __init__(self, most: int, entries: Iterable[Entry] = (), done: Iterable[str] = ()) -> None:
        self._most = most
        self._heap = sorted(entries)
        self.done = set(done)
        self._ranks = self._best()
        self._order = max((entry.order for entry in self._heap), default=0)

    def add(self, url: str, place: int, depth: int) -> None:
        """Add a page, or move it forward, unless it is done with."""
        known = key(url)
        if known in self.done or self._ranks.get(known, place + 1) <= place:
            return
        self._ranks[known] = place
        self._order += 1
        heapq.heappush(self._heap, Entry(place, depth, self._order, url))
        if len(self._heap) >= 2 * self._most:
            self._heap = self.waiting()
            self._ranks = self._best()

    def next(self) -> Entry | None:
        """The next page, which is done with then; None when there is none."""
        while self._heap:
            entry = heapq.heappop(self._heap)
            if self.finish(entry.url):
                return entry
        return None

    def finish(self, url: str) -> bool:
        """Be done with a page; whether it was not before."""
        known = key(url)
        fresh = known not in self.done
        self.done.add(known)
        self._ranks.pop(known, None)
        return fresh

    @property
    def promising(self) -> bool:
        """Whether the next page promises addresses."""
        while self._heap and key(self._heap[0].url) in self.done:
            heapq.heappop(self._heap)
        return bool(self._heap) and self._heap[0].rank < PROMISING

    def waiting(self) -> list[Entry]:
        """The best pages in order, each once, at most as many as are kept."""
        found: dict[str, Entry] = {}
        for entry in sorted(self._heap):
            known = key(entry.url)
            if known not in self.done:
                found.setdefault(known, entry)
                if len(found) >= self._most:
                    break
        return list(found.values())

    def _best(self) -> dict[str, int]:
        return {key(entry.url): entry.rank for entry in reversed(self._heap)}
