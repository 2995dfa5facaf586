"""Web pages: which addresses stand there and how, and which links to follow next. Static: scripts are read, never run."""

from __future__ import annotations

from engine.mail.page.domains import registrable
from engine.mail.page.model import MAX_LINKS, MAX_SIGHTINGS, FoundAs, Link, Page, Sighting
from engine.mail.page.reading import read_page, read_text
from engine.mail.page.sitemap import read_sitemap
from engine.mail.page.urls import canonical_url

__all__ = [
    "MAX_LINKS",
    "MAX_SIGHTINGS",
    "FoundAs",
    "Link",
    "Page",
    "Sighting",
    "canonical_url",
    "read_page",
    "read_sitemap",
    "read_text",
    "registrable",
]
