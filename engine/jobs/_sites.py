"""When what is known of a site spares a crawl."""

from __future__ import annotations

from engine.durable.site_cache import KnownSite
from engine.scraping.report import READABLE

DAY_MS = 86_400_000
FRESH_DAYS = 30
"""How long it counts what a crawl found."""


def spares(site: KnownSite, pages: int, since: int, job_id: str, days: int | None = None) -> bool:
    """Whether a site need not be crawled again by a job that was submitted at `since` (ms) and would read so many pages.

    What this job found counts whatever it was, so that an interrupted job asks nobody twice. Of others, a readable site counts
    for `FRESH_DAYS` days, or `days` if that is less, unless it has pages that its crawl was not allowed to read; a site that
    could not be read may be back by now.
    """
    if site.job_id == job_id and job_id:
        return True
    if site.checked_at >= since and site.limit >= pages:
        return True
    most = FRESH_DAYS if days is None else min(days, FRESH_DAYS)
    deep_enough = site.limit >= pages or site.pages < site.limit
    return site.status in READABLE and deep_enough and site.checked_at >= since - most * DAY_MS
