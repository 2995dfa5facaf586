"""Addresses in attributes: whole, in halves (`data-user`, `data-domain`), or in a cipher."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selectolax.lexbor import LexborHTMLParser

from engine.mail.address import Address
from engine.mail.page.around import addresses_in
from engine.mail.page.ciphers import from_base64, percent_decoded, rot13, shifted
from engine.mail.page.entities import decoded
from engine.mail.page.invisible import plain
from engine.mail.page.judge import Judge
from engine.mail.page.model import FoundAs
from engine.mail.page.obfuscation import written_in

_MAX_ELEMENTS = 5_000
_MAX_NAMES = 40
_MAX_VALUE = 2_000
_MAX_STATE = 100_000
"""Characters of a value that holds what a script works with."""
_MAX_TAGS = 500
_TAG = 4_000
"""Characters of a tag that are looked through for the attribute in which an at sign stands."""
_USERS = """
    user username name local local-part localpart account login mailbox box lp u n first part1 p1 before left id email-user
    mail-user a to
""".split()
_DOMAINS = """
    domain host hostname server site website provider d h part2 p2 after right email-domain mail-domain email-host mail-host b
    at
""".split()
_TOP_LEVELS = ("tld", "ext", "suffix", "t", "zone", "email-tld", "part3")
_OTHERS = frozenset(
    "href action formaction src srcset imagesrcset poster style class id name for pattern integrity xmlns d points ping".split()
)
"""Attributes whose at signs are no addresses, or that are read elsewhere. A placeholder is an example."""
_WHOLE = re.compile(
    r"mail|addr|contact|recipient|encoded|obfus|crypt|enc$|href|link|to$|text|content|title|clipboard|copy|secret|protect|value|-rot(?:13)?\Z"
)
_data_name = re.compile(r"data-[\w-]{1,40}(?=\s*=)")
_name_before = re.compile(r"[\"'][^\"'<>=]{0,200}[\"']?\s*=\s*([\w:-]{1,60})\s").search
# Read backwards from the quote that begins a value.
_in_tag = re.compile(r"[\s\"']([a-z@:][\w:@.-]{0,60})\s{0,3}=\s{0,3}(?:\"[^\"]*|'[^']*)\Z", re.A | re.I).search
_name = re.compile(r"[a-z@:][a-z0-9_:@.-]*").fullmatch
_special = re.compile(r"[:@.]")
_enciphered = re.compile(r"enc|crypt|obfus|rot").search
# The last is the one of Email Encoder, a plugin of WordPress.
_rotated = re.compile(r"-rot-?(?:13)?(?:-|\Z)|data-enc-email\Z").search
_before_quote = re.compile(r"\s{0,3}=\s{0,3}([\w:.-]{1,60})[\s\"']").match


def attribute_addresses(tree: LexborHTMLParser, html: str, judge: Judge) -> Iterator[tuple[Address, FoundAs]]:
    """Addresses in the attributes of a page, given also its source: what is not written there need not be looked for."""
    names = _data_names(html)
    yield from ((found, FoundAs.ATTRIBUTE) for found in _halves(tree, names, judge))
    yield from ((found, FoundAs.ATTRIBUTE) for found in _joomla(tree, html, judge))
    for name in names:
        if _WHOLE.search(name):
            for value in _values(tree, [name]):
                yield from _hidden_in(value, judge, name)
    others = sorted(_with_signs(html) - {name for name in names if _enciphered(name)})
    for value in _values(tree, others[:_MAX_NAMES], _MAX_STATE):
        yield from ((found, FoundAs.ATTRIBUTE) for found in addresses_in(plain(value), judge, limit=100))


def _data_names(html: str) -> list[str]:
    """The names of data attributes in a source, in order, at most `_MAX_NAMES` of interest."""
    names = dict.fromkeys(name.lower() for name in _data_name.findall(html))
    halves = {f"data-{half}" for half in (*_USERS, *_DOMAINS, *_TOP_LEVELS)}
    return [name for name in names if name in halves or _WHOLE.search(name)][:_MAX_NAMES]


def _with_signs(html: str) -> set[str]:
    """Names of attributes in whose values an at sign stands, of those that may show one."""
    names: set[str] = set()
    place, left, tags = html.find("@"), _MAX_ELEMENTS, _MAX_TAGS
    while place >= 0 and left > 0:
        # Pictures of double size (`@2x.png`) are in every attribute.
        if html[place + 2 : place + 4] != "x.":
            left -= 1
            name = _attribute_at(html, place)
            if not name and tags > 0 and (tag := _tag_before(html, place)):
                tags -= 1
                name = found[1].lower() if (found := _in_tag(tag)) else ""
            if name and _is_shown(name):
                names.add(name)
        place = html.find("@", place + 1)
    return names


def _is_shown(name: str) -> bool:
    """Whether an attribute may show an address to a reader or keep one for a script; those of events are programs."""
    return name not in _OTHERS and not name.startswith("on") and "placeholder" not in name


def _tag_before(html: str, place: int) -> str:
    """The tag within which a place is, as far as that; "" where it is in none."""
    start = html.rfind("<", max(0, place - _TAG), place)
    return html[start:place] if start >= 0 and html.find(">", start, place) < 0 else ""


def _attribute_at(html: str, place: int) -> str:
    """The name of the attribute in whose value a place is, "" where it is in none."""
    start = max(0, place - 200 - 1)
    quote = max(html.rfind('"', start, place), html.rfind("'", start, place))
    if quote <= html.rfind(">", start, place) or html.startswith("href=", quote - 5) or html.find("<", quote, place) >= 0:
        return ""
    found = _before_quote(html[max(0, place - 280) : quote][::-1])
    return found[1][::-1].lower() if found else ""


def _values(tree: LexborHTMLParser, names: Iterable[str], most: int = _MAX_VALUE) -> Iterator[str]:
    """The values of those attributes, of at most so many characters."""
    for name in names:
        if not _name(name):
            continue
        selector = _special.sub(r"\\\g<0>", name.removeprefix("xlink:"))  # a selector knows no prefixes of XML
        for node in tree.css(f"[{selector}]")[:_MAX_ELEMENTS]:
            if node.tag == "meta":
                continue
            value = node.attrs.get(name)
            if value and 4 <= len(value) <= most:
                yield value


def _joomla(tree: LexborHTMLParser, html: str, judge: Judge) -> Iterator[Address]:
    """Addresses that Joomla's `joomla-hidden-mail` elements cloak: in Base64 what they show, and both halves."""
    if "joomla-hidden-mail" in html:
        for node in tree.css("joomla-hidden-mail[first][last]")[:_MAX_ELEMENTS]:
            shown, first, last = (from_base64(node.attrs.get(name) or "") for name in ("text", "first", "last"))
            if (found := judge.address(shown) or judge.address(f"{first}@{last}")) is not None:
                yield found


def _halves(tree: LexborHTMLParser, names: list[str], judge: Judge) -> Iterator[Address]:
    """Elements that keep the parts of an address in attributes of their own."""
    domains = [f"data-{half}" for half in _DOMAINS if f"data-{half}" in names]
    users = [f"data-{half}" for half in _USERS if f"data-{half}" in names]
    if not users:
        return
    for name in domains:
        for node in tree.css(f"[{name}]")[:_MAX_ELEMENTS]:
            values = {key.lower(): (value or "").strip() for key, value in node.attributes.items()}
            domain = values.get(name, "").lstrip("@").replace(" ", "")
            top = next((values[f"data-{half}"] for half in _TOP_LEVELS if values.get(f"data-{half}")), "").strip(".")
            for user in users:
                local = values.get(user, "").rstrip("@")
                for whole in (f"{local}@{domain}.{top}", f"{local}@{domain}") if top else (f"{local}@{domain}",):
                    if local and domain and len(whole) < _MAX_VALUE and (found := judge.address(whole)):
                        yield found
                        break


def _hidden_in(value: str, judge: Judge, name: str) -> Iterator[tuple[Address, FoundAs]]:
    """What a data attribute of that name says, plain or in one of the usual ciphers."""
    text = plain(decoded(percent_decoded(value)))
    found = list(addresses_in(text, judge, limit=20))
    turned = _turned(text, judge) if _enciphered(name) or "znvygb:" in text.lower() else []
    # By ROT13 .org becomes .bet; of countries some become others (.se .fr), which is not enough to tell.
    if found and turned and (_rotated(name) or all(address.domain.endswith(".bet") for address in found)):
        yield from ((address, FoundAs.ROT13) for address in turned)
        return
    if found:
        yield from ((address, FoundAs.ATTRIBUTE) for address in found)
        return
    for plainer in (from_base64(value), from_base64(value[::-1]), text[::-1] if "@" in text else "", shifted(value)):
        for address in addresses_in(plainer, judge, limit=20):
            yield address, FoundAs.ATTRIBUTE
            return
    if turned:
        yield from ((address, FoundAs.ROT13) for address in turned)
        return
    yield from ((address, FoundAs.OBFUSCATED) for address in written_in(text, judge))


def _turned(text: str, judge: Judge) -> list[Address]:
    """The addresses that a text is by ROT13; its at sign may be in words, which are left as they are."""
    return list(addresses_in(rot13(text.replace("[at]", "@").replace("(at)", "@")), judge, limit=20))
