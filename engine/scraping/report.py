"""What came of a domain: its addresses with where, how and when each was found, or why there are none."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from engine.durable.sites import KnownSite, SeenAddress

SiteStatus = Literal["found", "no_addresses", "blocked_by_robots", "unreachable", "refused"]
READABLE = frozenset({"found", "no_addresses"})
"""The statuses of a site that could be read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An address of a site, where it was seen first.

    `first_seen` is in ms (UTC); `found_as` as in `engine.mail.page.FoundAs`; `near` is the text beside it, there and on others of
    the site's pages.
    """

    email: str
    source_url: str
    page_title: str
    found_as: str
    role: bool
    free: bool
    first_seen: int
    near: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a domain, an ASCII `host` or `host:port` as it was asked for.

    `error` is a sentence: why there are no addresses, or why the crawl ended before its time; else empty. `seen` is in the order
    of the crawl, each address once. `pages` counts the pages that were asked for on the wire, whatever came of them.
    """

    domain: str
    status: SiteStatus
    error: str = ""
    seen: tuple[Seen, ...] = ()
    pages: int = 0

    @property
    def readable(self) -> bool:
        """Whether the site could be read."""
        return self.status in READABLE

    def known(self, limit: int, at: int, job_id: str) -> KnownSite:
        """What is kept of it for other jobs: a crawl of at most `limit` pages that ended at that moment (ms)."""
        seen = tuple(SeenAddress(**asdict(one)) for one in self.seen)
        return KnownSite(self.domain, self.status, self.error, seen, self.pages, limit, at, job_id or None)
