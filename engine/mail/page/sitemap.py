"""Sitemaps (https://www.sitemaps.org/protocol.html): the pages that a site names itself."""

from __future__ import annotations

import re
import zlib
from html import unescape

from engine.mail.page.domains import registrable
from engine.mail.page.model import MAX_CHARACTERS
from engine.mail.page.urls import absolute, host_of

MAX_URLS = 50_000
"""As many as the protocol allows in one file."""
_location = re.compile(
    r"<(?:(?!image:|video:|news:)\w{1,20}:)?(?:loc|link)\b([^>]{0,500})>\s*(?:<!\[CDATA\[)?\s*([^<\]]{0,2100})", re.I
)
_hypertext = re.compile(r"\bhref\s*=\s*[\"']([^\"']{1,2000})", re.I)
_GZIP = b"\x1f\x8b"


def read_sitemap(xml: bytes, url: str) -> list[str]:
    """Canonical URLs that a sitemap, a sitemap index or a feed at that URL names, in order, each once, at most `MAX_URLS`.

    Only those of the same registrable domain. Gzip and plain lists of URLs are understood; broken XML is read as far as it goes.
    Entities are never expanded, so no document grows.
    """
    text = _text(xml)
    site = registrable(host_of(url))
    found: dict[str, None] = {}
    for place in _places(text):
        target = absolute(unescape(place.strip()), url)
        if target is not None and registrable(host_of(target)) == site:
            found[target] = None
            if len(found) >= MAX_URLS:
                break
    return list(found)


def _text(xml: bytes) -> str:
    if xml.startswith(_GZIP):
        try:
            xml = zlib.decompressobj(wbits=31).decompress(xml, 4 * MAX_CHARACTERS)
        except zlib.error:
            return ""
    xml = xml[: 4 * MAX_CHARACTERS]
    if xml[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return xml.decode("utf-16", "replace")
    return xml.decode("utf-8-sig", "replace")


def _places(text: str) -> list[str]:
    if "<" not in text[:2_000]:
        return [line for line in text.splitlines() if "://" in line[:10]]
    places = []
    for attributes, content in _location.findall(text):
        linked = _hypertext.search(attributes)
        places.append(linked[1] if linked else content)
    return [place for place in places if place.strip()]
