"""A page of HTML or text: every technique in turn, each address once by the strongest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from engine.mail.address import Address
from engine.mail.lists import domain_flags, is_role
from engine.mail.page.around import addresses_in
from engine.mail.page.attributes import attribute_addresses
from engine.mail.page.beside import MAX_NEAR, Beside, Place
from engine.mail.page.charset import text_of
from engine.mail.page.ciphers import cloudflare, percent_decoded, rot13
from engine.mail.page.entities import encoded_in
from engine.mail.page.flow import Flow
from engine.mail.page.invisible import plain
from engine.mail.page.judge import Judge
from engine.mail.page.links import anchors, base_of, links_of
from engine.mail.page.mailto import is_mailto, mailto_addresses
from engine.mail.page.model import MAX_CHARACTERS, MAX_SIGHTINGS, STRENGTH, FoundAs, Page, Sighting
from engine.mail.page.obfuscation import written_in
from engine.mail.page.scripts import is_script, script_addresses
from engine.mail.page.seen import Seen, seen_in
from engine.mail.page.structured import json_addresses, metadata, microdata
from engine.mail.page.stylesheet import Rules, rules_of
from engine.mail.page.taming import tamed
from engine.mail.page.urls import absolute, canonical_url, host_of

_MAX_TITLE = 300
_MAX_ELEMENTS = 5_000
_MAX_NEARS = 500
"""Addresses of one page of which it is told what stands beside them: more show nothing new of a domain."""
_PROTECTED = "/cdn-cgi/l/email-protection"
_HANDLERS = "[onclick],[onmouseover]"
_shadow = re.compile(r"<template(?=\s[^<>]{0,300}shadowroot(?:mode)?\s*=)", re.I)
Found = tuple[Address, FoundAs]


class _Collection:
    """Addresses by key, in the order in which they were first found, each with its strongest technique."""

    def __init__(self) -> None:
        self._found: dict[str, Found] = {}

    def add(self, found: Iterable[Found]) -> None:
        for address, technique in found:
            known = self._found.get(address.key)
            if known is None:
                if len(self._found) >= MAX_SIGHTINGS:
                    return
            elif STRENGTH[known[1]] <= STRENGTH[technique]:
                continue
            self._found[address.key] = (address, technique)

    def relabel(self, keys: set[str], before: FoundAs, after: FoundAs) -> None:
        for key in keys & self._found.keys():
            address, technique = self._found[key]
            if technique is before:
                self._found[key] = (address, after)

    def people(self, most: int) -> set[str]:
        """Keys of the first of those that are no office's."""
        return set(islice((key for key, (address, _) in self._found.items() if not is_role(address.local)), most))

    def sightings(self, nears: Mapping[str, str]) -> tuple[Sighting, ...]:
        return tuple(
            Sighting(
                address.normalized,
                technique.value,
                is_role(address.local),
                domain_flags(address.domain).free,
                nears.get(key, ""),
            )
            for key, (address, technique) in self._found.items()
        )


def read_page(html: bytes | str, url: str, charset: str | None = None, extra_tlds: frozenset[str] = frozenset()) -> Page:
    """The addresses and links of a page.

    `url` is where the page was read, after redirects; `charset` what its Content-Type says, without need to be true;
    `extra_tlds` are top levels taken for public besides those that are. Total: any bytes are a page, and nothing is raised.
    At most 2,000 addresses, 5,000 links and the first 5 Mi characters are read.
    """
    source = _without_shadows(tamed(text_of(html, charset, host_of(url).rpartition(".")[2])))
    tree = LexborHTMLParser(source, options=LexborDocumentOptions.WO_EVENTS)
    root = tree.root
    if root is None:
        return Page("", (), (), canonical_url(url) or url, False, "")
    programs = tree.css("script,style")
    rules = rules_of([node.text() for node in programs if node.tag == "style"])
    seen = seen_in(tree, source, rules, programs)
    hrefs = anchors(tree, seen.unseen)
    base = base_of(tree.head, url)
    scripts = [(node.attrs.get("type") or "", node.text()) for node in programs[:_MAX_ELEMENTS] if node.tag == "script"]
    judge = Judge(extra_tlds)
    collection = _Collection()
    beside = Beside()
    flow = Flow(root, seen.unseen, seen.turned, judge, beside)
    parts = _Parts(tree, root, source, seen, rules, hrefs, scripts, flow, beside)
    for found in _techniques(parts, judge):
        collection.add(found)
    encoded = {address.key for address in encoded_in(source, judge)}
    collection.relabel(encoded, FoundAs.TEXT, FoundAs.ENTITIES)
    return Page(
        title=_title(tree),
        sightings=collection.sightings(_nears(parts, collection.people(_MAX_NEARS))),
        links=links_of(tree, hrefs, base, url),
        canonical=_canonical(tree, base, url),
        nofollow=_is_nofollow(tree),
        language=_language(root),
    )


def _without_shadows(html: str) -> str:
    """Markup whose declared shadow roots are a part of the page, as readers see them; a parser keeps templates apart."""
    return _shadow.sub("<div", html) if "shadowroot" in html else html


def _nears(page: _Parts, wanted: set[str]) -> dict[str, str]:
    """What stands beside the wanted addresses, by key."""
    if not wanted:
        return {}
    apart = [(node, key) for node, key in page.linked if key not in page.beside]
    spans = page.flow.spans(node for node, _ in apart) if apart else {}
    for node, key in apart:
        begin, end = spans.get(node.mem_id, (0, 0))
        if end:
            own = " ".join(text for text in page.flow.texts[begin:end] if "@" not in text)
            page.beside.note(Place(begin, end, key, " ".join(own[:MAX_NEAR].split())))
    return page.beside.nears(page.flow.texts, wanted)


def read_text(text: str, extra_tlds: frozenset[str] = frozenset()) -> list[Sighting]:
    """The addresses of a page that is plain text, each once, at most 2,000."""
    text = plain(text[:MAX_CHARACTERS])
    judge = Judge(extra_tlds)
    collection = _Collection()
    collection.add((address, FoundAs.TEXT) for address in addresses_in(text, judge))
    collection.add((address, FoundAs.OBFUSCATED) for address in written_in(text, judge))
    return list(collection.sightings({}))


@dataclass(frozen=True, slots=True)
class _Parts:
    """A page taken apart; `scripts` are types and texts of script elements."""

    tree: LexborHTMLParser
    root: LexborNode
    source: str
    seen: Seen
    rules: Rules
    hrefs: list[tuple[str, LexborNode]]
    scripts: list[tuple[str, str]]
    flow: Flow
    beside: Beside
    linked: list[tuple[LexborNode, str]] = field(default_factory=list)
    """Elements that write to an address, with its key."""


def _techniques(page: _Parts, judge: Judge) -> Iterator[Iterable[Found]]:
    """The finds of each technique, the strongest technique first."""
    yield _in_links(page, judge)
    yield _in_other_links(page.tree, judge)
    linked = (text for kind, text in page.scripts if "ld+json" in kind.lower())
    yield ((address, FoundAs.JSON_LD) for text in linked for address in json_addresses(text, judge))
    yield ((address, FoundAs.MICRODATA) for address in microdata(page.tree, judge))
    yield ((address, FoundAs.META) for address in metadata(page.tree.head or page.root, judge))
    yield page.flow.sightings()
    yield attribute_addresses(page.tree, page.source, judge)
    yield _protected(page, judge)
    yield script_addresses(_programs(page), judge)
    yield ((address, FoundAs.ROT13) for text in page.seen.rot13 for address in addresses_in(text, judge, limit=100))
    yield ((address, FoundAs.STYLE) for text in page.rules.contents for address in addresses_in(plain(text), judge, limit=100))


def _in_links(page: _Parts, judge: Judge) -> Iterator[Found]:
    """Addresses that links write to; notes their elements."""
    for href, node in page.hrefs:
        if not _may_write(href):
            continue
        for found in _in_link(href, judge):
            page.linked.append((node, found[0].key))
            yield found


def _may_write(href: str) -> bool:
    """A cheap look, for the thousands of links that lead to pages."""
    return ":" in href or "@" in href or "%40" in href or _PROTECTED in href


def _in_link(href: str, judge: Judge) -> Iterator[Found]:
    """Addresses that a link writes to, openly or through Cloudflare's protection; also one that forgot `mailto:`."""
    if is_mailto(href):
        yield from ((address, FoundAs.MAILTO) for address in mailto_addresses(href, judge))
    elif _PROTECTED in href:
        text = cloudflare(href.partition("#")[2])
        yield from ((address, FoundAs.CFEMAIL) for address in addresses_in(text, judge, limit=1))
    elif href[:7].lower() == "znvygb:":
        yield from ((address, FoundAs.ROT13) for address in mailto_addresses(rot13(href), judge))
    elif ("@" in href or "%40" in href) and not href[:11].lower().startswith("javascript:"):
        yield from ((address, FoundAs.ATTRIBUTE) for address in addresses_in(percent_decoded(href), judge, limit=20))


def _in_other_links(tree: LexborHTMLParser, judge: Judge) -> Iterator[Found]:
    """Addresses that forms write to, and those of links between documents."""
    for node in tree.css("form[action],link[href]")[:_MAX_ELEMENTS]:
        target = node.attrs.get("action") or node.attrs.get("href") or ""
        if is_mailto(target) and "itemprop" not in node.attrs:
            yield from ((address, FoundAs.MAILTO) for address in mailto_addresses(target, judge))


def _protected(page: _Parts, judge: Judge) -> Iterator[Found]:
    for node in page.tree.css("[data-cfemail]")[:_MAX_ELEMENTS]:
        text = cloudflare(node.attrs.get("data-cfemail") or "")
        for address in addresses_in(plain(text), judge, limit=1):
            page.linked.append((node, address.key))
            yield address, FoundAs.CFEMAIL


def _programs(page: _Parts) -> list[str]:
    """Programs of a page: script elements, handlers of events, and links that are programs."""
    found = [text for kind, text in page.scripts if is_script(kind)]
    for node in page.tree.css(_HANDLERS)[:_MAX_ELEMENTS]:
        found += [value for name, value in node.attributes.items() if value and name.startswith("on")]
    links = (href.partition(":")[2] for href, _ in page.hrefs if ":" in href and href[:11].lower() == "javascript:")
    return found + [unquote(link) if "%" in link else link for link in links]


def _title(tree: LexborHTMLParser) -> str:
    node = (tree.head.css_first("title") if tree.head is not None else None) or tree.css_first("title")
    text = " ".join(node.text()[: 4 * _MAX_TITLE].split())[:_MAX_TITLE] if node is not None else ""
    if not text and (heading := tree.css_first("h1")) is not None:
        text = " ".join(heading.text()[: 4 * _MAX_TITLE].split())[:_MAX_TITLE]
    return text


def _canonical(tree: LexborHTMLParser, base: str, url: str) -> str:
    """The page's own URL, or the one that it names for itself on the same host."""
    node = tree.head.css_first('link[rel~="canonical" i][href]') if tree.head is not None else None
    named = absolute(node.attrs.get("href") or "", base) if node is not None else None
    if named is not None and host_of(named) == host_of(url):
        return named
    return canonical_url(url) or url


def _is_nofollow(tree: LexborHTMLParser) -> bool:
    nodes = tree.head.css('meta[name="robots" i]')[:10] if tree.head is not None else ()
    contents = (node.attrs.get("content") or "" for node in nodes)
    words = {word.strip().lower() for content in contents for word in content.split(",")}
    return bool(words & {"nofollow", "none"})


def _language(root: LexborNode) -> str:
    language = root.attrs.get("lang") or root.attrs.get("xml:lang") or ""
    return language.strip()[:35]
