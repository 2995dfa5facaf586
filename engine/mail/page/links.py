"""The links of a page: where they lead, how soon to follow them, and which addresses they write to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter

from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine.mail.page.domains import registrable
from engine.mail.page.model import MAX_LINKS, Link
from engine.mail.page.priorities import priority_of
from engine.mail.page.urls import absolute, canonical_url, host_of, is_worth_reading

_MAX_HREFS = 20_000
_MAX_TEXT = 200
_OTHER_SCHEMES = (
    "mailto:",
    "tel:",
    "javascript:",
    "data:",
    "sms:",
    "whatsapp:",
    "callto:",
    "skype:",
    "about:",
    "file:",
    "ftp:",
    "blob:",
    "#",
)

_host = re.compile(r"https?://([a-z0-9.-]++)(?=/|\Z)").match


def base_of(head: LexborNode | None, url: str) -> str:
    """What relative links of a page with that head, at that URL, are relative to."""
    node = head.css_first("base[href]") if head is not None else None
    return (absolute(node.attrs.get("href") or "", url) if node is not None else None) or url


def anchors(tree: LexborHTMLParser, unseen: set[int]) -> list[tuple[str, LexborNode]]:
    """The `href` of every link that a reader can see, with its element; the first of each `href` with a text."""
    found: dict[str, LexborNode] = {}
    for node in tree.css("a[href],area[href]"):
        href = node.attrs.get("href")
        if href and href not in found and not (unseen and node.mem_id in unseen):
            found[href] = node
            if len(found) >= _MAX_HREFS:
                break
    return list(found.items())


def links_of(tree: LexborHTMLParser, hrefs: list[tuple[str, LexborNode]], base: str, url: str) -> tuple[Link, ...]:
    """Links to pages of the same registrable domain, each once, the most promising first and then in the order of the page."""
    site = registrable(host_of(url))
    own = canonical_url(url)
    is_own: dict[str, bool] = {}
    found: dict[str, tuple[int, str]] = {}
    for href, node in [*hrefs, *_frames(tree)]:
        if len(found) >= MAX_LINKS:
            break
        if ":" in href[:12]:
            if (known := _host(href)) is not None:
                if is_own.get(known[1]) is False:
                    continue
            elif href.lstrip().lower().startswith(_OTHER_SCHEMES):
                continue
        target = absolute(href, base)
        if target is None or target == own or not is_worth_reading(target):
            continue
        host, _, path = target.partition("://")[2].partition("/")
        if host not in is_own:
            is_own[host] = registrable(host) == site
        if not is_own[host]:
            continue
        text = _text(node)
        priority = priority_of(path, text)
        if target not in found or priority < found[target][0]:
            found[target] = priority, text
    links = [Link(target, priority, text) for target, (priority, text) in found.items()]
    return tuple(sorted(links, key=attrgetter("priority")))


def _frames(tree: LexborHTMLParser) -> Iterator[tuple[str, LexborNode]]:
    """Parts of the page that are pages themselves."""
    for node in tree.css("iframe[src]" if tree.body is not None else "frame[src],iframe[src]")[:MAX_LINKS]:
        yield node.attrs.get("src") or "", node


def _text(node: LexborNode) -> str:
    """What a link says: its text, or its title or label where it is a picture."""
    text = " ".join(node.text()[: 4 * _MAX_TEXT].split())
    if not text:
        text = node.attrs.get("title") or node.attrs.get("aria-label") or ""
        if not text and (image := node.css_first("img[alt]")) is not None:
            text = image.attrs.get("alt") or ""
        text = " ".join(text[: 4 * _MAX_TEXT].split())
    return text[:_MAX_TEXT]
