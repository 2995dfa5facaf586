"""Addresses that a page declares for programs: JSON-LD, microdata, RDFa and meta elements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine.mail.address import Address
from engine.mail.page.around import addresses_in
from engine.mail.page.invisible import plain
from engine.mail.page.judge import Judge
from engine.mail.page.mailto import is_mailto, mailto_addresses
from engine.mail.page.obfuscation import written_in

_MAX_VALUES = 20_000
_MAX_ELEMENTS = 5_000
_KEYS = frozenset("email emails e-mail mail emailaddress email_address contactemail contact_email".split())
_wrapping = re.compile(
    r"\A\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)|(?:-->|//\s*\]\]>|\]\]>|/\*\s*\]\]>\s*\*/)\s*\Z"
)
_trailing_comma = re.compile(r",(?=\s*[\]}])")
_unescaped_line = re.compile(r"[\r\n\t]+")
_escape = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_pair = re.compile(r"[\"']?(?:schema:)?(?:e-?mails?|email_?address)[\"']?\s*:\s*(?:\[\s*)?[\"']([^\"'\n]{3,400})[\"']", re.I)
_META_NAMES = re.compile(
    r"e-?mail|author|contact|reply-?to|publisher|owner|designer|copyright|description|dc\.|^og:|^vcard|^schema|^business:", re.I
)


def json_addresses(text: str, judge: Judge) -> Iterator[Address]:
    """Values of `email` in a text of JSON-LD (https://schema.org/email), however deep, and `mailto:` links in it.

    Broken JSON is read as far as it goes.
    """
    values = _values(text)
    for value in values if values is not None else _broken_values(text):
        yield from declared_addresses(value, judge)


def declared_addresses(value: str, judge: Judge) -> Iterator[Address]:
    """What a value that is declared to be an address names."""
    value = plain(unescape(value)).strip()
    if is_mailto(value):
        yield from mailto_addresses(value, judge)
        return
    found = list(addresses_in(value, judge, limit=100))
    yield from found or written_in(value, judge)


def microdata(tree: LexborHTMLParser, judge: Judge) -> Iterator[Address]:
    """Elements marked as e-mail by microdata (`itemprop`) or RDFa (`property`); a `content` or a link goes before the text."""
    for node in tree.css("[itemprop],[property]")[:_MAX_ELEMENTS]:
        if _is_email(node.attrs.get("itemprop") or node.attrs.get("property") or ""):
            yield from _declared(node, judge)


def _is_email(properties: str) -> bool:
    """Whether one of the properties, by name or by URL, is an address."""
    return any(name.rpartition(":")[2].rpartition("/")[2] == "email" for name in properties.lower().split())


def _declared(node: LexborNode, judge: Judge) -> Iterator[Address]:
    for name in ("content", "href", "value"):
        value = node.attrs.get(name)
        if value and (found := list(declared_addresses(value, judge))):
            yield from found
            return
    text = node.text()
    if len(text) <= 1_000:
        yield from declared_addresses(text, judge)


def metadata(head: LexborNode, judge: Judge) -> Iterator[Address]:
    """Addresses in meta elements of a head that tell of people: author, contact, reply-to and the like."""
    for node in head.css("meta[content]")[:_MAX_ELEMENTS]:
        name = node.attrs.get("name") or node.attrs.get("property") or node.attrs.get("http-equiv") or ""
        value = node.attrs.get("content") or ""
        if "@" in value and _META_NAMES.search(name):
            yield from addresses_in(plain(value), judge, limit=20)


def _values(text: str) -> list[str] | None:
    """Strings under `email` keys and mailto links, or None where the text is no JSON even when patched."""
    bare = _wrapping.sub("", _wrapping.sub("", text)).strip().rstrip(";")
    for attempt in (bare, _unescaped_line.sub(" ", _trailing_comma.sub("", bare))):
        try:
            return list(_emails(json.loads(attempt)))
        except (ValueError, RecursionError):
            continue
    return None


def _emails(document: object) -> Iterator[str]:
    """Strings in document order; without recursion, since a page chooses how deep it nests."""
    stack: list[tuple[str, object]] = [("", document)]
    left = _MAX_VALUES
    while stack and left > 0:
        left -= 1
        key, value = stack.pop()
        if isinstance(value, dict):
            stack += [(str(name).lower().rpartition(":")[2].rpartition("/")[2], part) for name, part in reversed(value.items())]
        elif isinstance(value, list):
            stack += [(key, part) for part in reversed(value)]
        elif isinstance(value, str) and (key in _KEYS or is_mailto(value) or (key == "@value" and "@" in value)):
            yield value


def _broken_values(text: str) -> Iterator[str]:
    for place, found in enumerate(_pair.finditer(text)):
        if place >= _MAX_VALUES:
            return
        yield _escape.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else escape[2], found[1]).replace("\\/", "/")
