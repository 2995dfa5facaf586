"""From what a list says to the domains to crawl: URLs, addresses and names in one spelling each, and which column holds them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from engine.mail.address import Address, parse
from engine.mail.columns import address_column
from engine.mail.lists import domain_flags
from engine.mail.page.domains import is_public
from engine.net.http import start_urls

LONGEST = 300
"""Characters of an entry that is no domain, as far as its row shows it."""
EXPECTED = "expected a domain such as example.com, host:port or a URL"
# The likelier name first. Squeezed: lower case, without accents, spaces and punctuation.
_EXACT = tuple(
    """
    domain domainname website websiteurl webseite homepage url site siteurl web webpage webaddress websiteaddress host hostname
    companydomain companywebsite companyurl internet internetadresse webadresse internetseite siteweb siteinternet sitioweb
    paginaweb sitoweb weburl link www dominio domaine domaenenname
    """.split()
)
_PART = re.compile(r"domain|website|homepage|webseite|hostname|siteweb|sitioweb|sitoweb|weburl")
_NOT_MEANT = re.compile(
    r"status|valid|count|date|type|^mx|provider|score|source|image|logo|mail|server|linkedin|facebook|twitter"
)
_MAX_SAMPLE = 200
# As most entries are written, and nobody reads them otherwise: a name whose top level begins with a letter, perhaps a port.
_usual = re.compile(
    r"(?:(https?)://)?(?!xn--)((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.(?!xn--))+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)"
    r"(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}))?(?:/[a-z0-9._~/?#&=+,;:@%!*-]*)?",
    re.IGNORECASE | re.ASCII,
).fullmatch
_DEFAULTS = {"80": ("", "http"), "443": ("", "https")}
"""Ports that need not be named: where the scheme is missing, or is this one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A domain to crawl, ASCII `host` or `host:port`; with an `error` it is the entry as it was given, which is none."""

    domain: str
    error: str = ""


def wanted(entry: object) -> Wanted:
    """What an entry of a list asks for: a domain, `host:port`, a URL (its host), or an address (its domain)."""
    usual = _usual(entry.strip()) if isinstance(entry, str) and len(entry) <= LONGEST else None
    if usual is None or len(usual[2]) > 253:
        return _wanted(entry)
    scheme, host, port = (usual[1] or "").lower(), usual[2].lower(), usual[3]
    return Wanted(host if port is None or scheme in _DEFAULTS.get(port, ()) else f"{host}:{port}")


def _wanted(entry: object) -> Wanted:
    """The same for any entry."""
    text = "" if entry is None else unicodedata.normalize("NFKC", str(entry)).strip()
    if not text:
        return Wanted("", f"the entry is empty; {EXPECTED}")
    shown = text[:LONGEST]
    if "@" in text and "/" not in text:
        return _of_address(text, shown)
    urls = start_urls(text)
    if not urls:
        return Wanted(shown, f"this is not a domain; {EXPECTED}")
    url = httpx.URL(urls[0])
    host = url.raw_host.decode("ascii")
    # Only a scheme or a port says that a single word is meant as the name of a host.
    if "." not in host and ":" not in host and host != "localhost" and url.port is None and "://" not in text:
        return Wanted(shown, f"this is a word and not a domain; {EXPECTED}")
    name = f"[{host}]" if ":" in host else host
    return Wanted(name if url.port is None else f"{name}:{url.port}")


def _of_address(text: str, shown: str) -> Wanted:
    address = parse(text)
    if not isinstance(address, Address):
        return Wanted(shown, f"this is neither a domain nor an address; {EXPECTED}")
    domain = wanted(address.domain)
    if not domain.error and domain_flags(domain.domain).free:
        return Wanted(domain.domain, "this is a provider of mailboxes for anyone, not the site of whoever has the address")
    return domain


def domain_column(names: Sequence[str], sample: Mapping[str, Sequence[object]]) -> str | None:
    """The column that holds domains or URLs, or else addresses; None when no column looks like it.

    `sample`: some values of each column. A column whose name says so comes first, unless none of its values is a domain; then the
    column most of whose values, at least half, are domains with a public top level; then one of addresses.
    """
    ranked = []
    for position, name in enumerate(names):
        named, share = _named(name), _share(sample.get(name, ()))
        if share is None or share > 0.0:
            if named is not None:
                ranked.append(((0, named, position), name))
            elif share is not None and share >= 0.5 and not _NOT_MEANT.search(_squeezed(name)):
                ranked.append(((1, 0, position), name))
    return min(ranked)[1] if ranked else address_column(names, sample)


def _named(name: str) -> int | None:
    """How well a name says that these are domains: 0 best, None not at all."""
    squeezed = _squeezed(name)
    if squeezed in _EXACT:
        return _EXACT.index(squeezed)
    return len(_EXACT) if _PART.search(squeezed) and not _NOT_MEANT.search(squeezed) else None


def _squeezed(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isalnum())


def _share(values: Sequence[object]) -> float | None:
    """How many of the values are domains or URLs, 0 to 1; None without values."""
    texts = [text for value in values[:_MAX_SAMPLE] if value is not None and (text := str(value).strip())]
    return sum(map(_is_domain, texts)) / len(texts) if texts else None


def _is_domain(text: str) -> bool:
    if "@" in text or any(map(str.isspace, text)):
        return False
    found = wanted(text)
    host = found.domain.rpartition(":")[0] or found.domain
    return not found.error and ("://" in text or ":" in found.domain or is_public(host))
