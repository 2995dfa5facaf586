"""The links of a page: where they lead, how soon to follow them, and which addresses they write to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter

from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine.mail.page.domains import registrable
from engine.mail.page.model import MAX_LINKS, Link
from engine.mail.page.priorities import OTHER, better, priorities_of, promise_of
from engine.mail.page.urls import (
    absolute,
    are_alike,
    canonical_url,
    host_of,
    is_worth_reading,
    origin_of,
    series_of,
    without_numbers,
)

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

_NONE, _EACH = -1, -2  # beside the priorities: no link of a series leads to a page; each has to be looked at
_refresh = re.compile(r"\s*\d[\d.]*\s*[;,]\s*(?:url\s*=\s*|(?!url\s*=))[\"']?\s*([^\s\"'][^\"']{0,2000})", re.I).match
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
    entries = [*hrefs, *_frames(tree), *_refreshes(tree)]
    nodes: list[LexborNode] = []
    targets: list[str] = []
    promises: list[int] = []
    for (_, node), (target, promise) in zip(entries, _Site(base, url).targets([href for href, _ in entries]), strict=True):
        if target:
            nodes.append(node)
            targets.append(target)
            promises.append(promise)
    texts = [_text(node) for node in nodes]
    found: dict[str, tuple[int, str]] = {}
    for target, promise, text, said in zip(targets, promises, texts, priorities_of(texts), strict=True):
        priority = better(promise, said)
        if target not in found or priority < found[target][0]:
            found[target] = priority, text
    links = [Link(target, priority, text) for target, (priority, text) in found.items()]
    return tuple(sorted(links, key=attrgetter("priority")))


class _Site:
    """Which links on a page at that URL, with that base, lead to other pages of its site."""

    def __init__(self, base: str, url: str) -> None:
        self._base, self._own, self._site = base, canonical_url(url), registrable(host_of(url))
        self._is_own: dict[str, bool] = {}
        origin = origin_of(base)
        self._origin = origin if origin and self._holds(origin.partition("://")[2]) else None

    def targets(self, hrefs: list[str]) -> Iterator[tuple[str, int]]:
        """For each link where it leads and what its path promises; "" once there are enough, and where that is no such page.

        Shops and archives link to pages in numbered series, which are judged once.
        """
        series: dict[str, int] = {}
        kept: set[str | None] = {self._own}
        for href, (path, kind) in zip(hrefs, series_of(hrefs, self._origin or "-"), strict=True):
            if (promise := series.get(kind)) is None:
                promise = series[kind] = self._promise(kind)
            if promise == _EACH:
                target, promise = self._alone(href)
            else:
                target = f"{self._origin}{path}" if promise != _NONE else ""
            if not target or target == self._own or (target not in kept and len(kept) > MAX_LINKS):
                yield "", OTHER
            else:
                kept.add(target)
                yield target, promise

    def _promise(self, series: str) -> int:
        """What all paths of a series promise; or that none is worth reading, or each has to be looked at."""
        if series.startswith(_OTHER_SCHEMES):
            return _NONE
        if self._origin is None or not are_alike(series, self._origin):
            return _EACH
        return promise_of(series[1:]) if is_worth_reading(self._origin + series) else _NONE

    def _alone(self, href: str) -> tuple[str, int]:
        if ":" in href[:12]:
            if (known := _host(href)) is not None:
                if self._is_own.get(known[1]) is False:
                    return "", OTHER
            elif href.lstrip().lower().startswith(_OTHER_SCHEMES):
                return "", OTHER
        target = absolute(href, self._base)
        if target is None or not is_worth_reading(target):
            return "", OTHER
        host, _, path = target.partition("://")[2].partition("/")
        return (target, promise_of(without_numbers(path))) if self._holds(host) else ("", OTHER)

    def _holds(self, host: str) -> bool:
        if host not in self._is_own:
            self._is_own[host] = registrable(host) == self._site
        return self._is_own[host]


def _frames(tree: LexborHTMLParser) -> Iterator[tuple[str, LexborNode]]:
    """Parts of the page that are pages themselves."""
    for node in tree.css("iframe[src]" if tree.body is not None else "frame[src],iframe[src]")[:MAX_LINKS]:
        yield node.attrs.get("src") or "", node


def _refreshes(tree: LexborHTMLParser) -> Iterator[tuple[str, LexborNode]]:
    """Where the page sends its readers on by itself: the first pages of many sites do nothing else.

    https://html.spec.whatwg.org/multipage/semantics.html#attr-meta-http-equiv-refresh
    """
    head = tree.head
    for node in head.css('meta[http-equiv="refresh" i][content]')[:10] if head is not None else ():
        if (found := _refresh(node.attrs.get("content") or "")) is not None:
            yield found[1].strip(), node


def _text(node: LexborNode) -> str:
    """What a link says: its text, or its title or label where it is a picture."""
    text = " ".join(node.text()[: 4 * _MAX_TEXT].split())
    if not text:
        text = node.attrs.get("title") or node.attrs.get("aria-label") or ""
        if not text and (image := node.css_first("img[alt]")) is not None:
            text = image.attrs.get("alt") or ""
        text = " ".join(text[: 4 * _MAX_TEXT].split())
    return text[:_MAX_TEXT]
