"""SPF (RFC 7208): whether a domain lets an address send its mail, asked through a lookup that is passed in."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import quote

from engine.mail.records import Lookup, RecordKind, RecordOutcome, Records

MAX_LOOKUPS, MAX_VOID, MAX_EXCHANGERS = 10, 2, 10
"""RFC 7208 section 4.6.4: terms that ask the DNS, lookups without records, exchangers of one `mx`."""
MAX_NAME = 253
Ip: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
_TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?![a-z0-9_.=-])(.*)", re.IGNORECASE | re.DOTALL)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE | re.DOTALL)
_TARGET = re.compile(r"(?::([^/]+(?:/[^0-9/][^/]*)*))?(?:/(\d{1,3}))?(?://(\d{1,3}))?")
_MACRO = re.compile(r"%(?:\{([slodiphv])(\d{0,3})(r?)([.\-+,/_=]*)\}|([%_-])|)", re.IGNORECASE)


class SpfResult(StrEnum):
    """RFC 7208 section 2.6."""

    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    PERMERROR = "permerror"
    TEMPERROR = "temperror"


@dataclass(frozen=True, slots=True)
class Spf:
    """An evaluation: the term that decided, "" where none did; what is wrong; the lookups, as section 4.6.4 counts them."""

    result: SpfResult
    term: str = ""
    detail: str = ""
    lookups: int = 0


_QUALIFIERS = {"": SpfResult.PASS, "+": SpfResult.PASS, "-": SpfResult.FAIL, "~": SpfResult.SOFTFAIL, "?": SpfResult.NEUTRAL}


class _End(Exception):
    """The evaluation cannot go on."""

    def __init__(self, result: SpfResult, detail: str) -> None:
        self.result, self.detail = result, detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class _Mechanism:
    qualifier: str
    name: str
    target: str
    prefixes: tuple[int | None, int | None]
    text: str


@dataclass(slots=True)
class _Record:
    mechanisms: list[_Mechanism] = field(default_factory=list)
    redirect: str = ""


async def evaluate(domain: str, sender: str, ip: str | None, look: Lookup) -> Spf:
    """Whether mail of `sender` (an address of the domain, ASCII) may come from this address.

    Without an address nothing matches, so that every include is followed: the result then says only whether there is a record
    that can be evaluated (`none`, `permerror`, `temperror`) or not.
    """
    walk = _Walk(sender, None if ip is None else ipaddress.ip_address(ip), look)
    try:
        result, term = await walk.check(domain)
    except _End as end:
        return Spf(end.result, "", end.detail, walk.lookups)
    return Spf(result, term, "", walk.lookups)


class _Walk:
    """One evaluation, with its counts over all records."""

    def __init__(self, sender: str, ip: Ip | None, look: Lookup) -> None:
        self._sender, self._ip, self._look = sender, ip, look
        self.lookups = self._void = 0

    async def check(self, domain: str) -> tuple[SpfResult, str]:
        """The result of a domain's record, and the term that decided."""
        record = await self._record(domain)
        if record is None:
            return SpfResult.NONE, ""
        for mechanism in record.mechanisms:
            if await self._matches(mechanism, domain):
                return _QUALIFIERS[mechanism.qualifier], mechanism.text
        if record.redirect:
            self._count()
            target = self._expanded(record.redirect, domain)
            result, term = await self.check(target)
            if result is SpfResult.NONE:
                raise _End(SpfResult.PERMERROR, f"it redirects to {target}, which has no SPF record")
            return result, term
        return SpfResult.NEUTRAL, ""

    async def _record(self, domain: str) -> _Record | None:
        found = await self._ask(domain, "TXT", void=False)
        texts = [text for text in found.values if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]
        if len(texts) > 1:
            raise _End(SpfResult.PERMERROR, f"{domain} has {len(texts)} SPF records; only one may be there")
        return _parsed(texts[0]) if texts else None

    async def _matches(self, mechanism: _Mechanism, domain: str) -> bool:
        match mechanism.name:
            case "all":
                return True
            case "ip4" | "ip6":
                return self._ip is not None and self._ip in ipaddress.ip_network(mechanism.target, strict=False)
        self._count()
        target = self._expanded(mechanism.target, domain) if mechanism.target else domain
        match mechanism.name:
            case "include":
                return await self._includes(target)
            case "exists":
                return (await self._ask(target, "A")).outcome is RecordOutcome.FOUND
            case "a":
                return await self._is_at(target, mechanism)
            case "mx":
                return await self._is_exchanger(target, mechanism)
        return False  # ptr: hardly anybody evaluates it, and nobody should publish it (section 5.5)

    async def _includes(self, target: str) -> bool:
        result, _ = await self.check(target)
        if result is SpfResult.NONE:
            raise _End(SpfResult.PERMERROR, f"it includes {target}, which has no SPF record")
        return result is SpfResult.PASS

    async def _is_exchanger(self, target: str, mechanism: _Mechanism) -> bool:
        hosts = (await self._ask(target, "MX")).values
        if len(hosts) > MAX_EXCHANGERS:
            raise _End(SpfResult.PERMERROR, f"{target} has more than {MAX_EXCHANGERS} mail exchangers")
        return any([await self._is_at(host, mechanism) for host in hosts if host not in ("", ".")])

    async def _is_at(self, host: str, mechanism: _Mechanism) -> bool:
        six = isinstance(self._ip, ipaddress.IPv6Address)
        found = await self._ask(host, "AAAA" if six else "A")
        length = mechanism.prefixes[six]
        networks = (
            ipaddress.ip_network(f"{ip}/{(128 if six else 32) if length is None else length}", False) for ip in found.values
        )
        return self._ip is not None and any(self._ip in network for network in networks)

    async def _ask(self, name: str, kind: RecordKind, void: bool = True) -> Records:
        found = await self._look(name, kind)
        if found.outcome is RecordOutcome.FAILED:
            raise _End(SpfResult.TEMPERROR, f"{name} could not be looked up: {found.detail}".rstrip(": "))
        self._void += void and found.outcome is not RecordOutcome.FOUND
        if self._void > MAX_VOID:
            raise _End(SpfResult.PERMERROR, f"more than {MAX_VOID} of its lookups find nothing, {name} for one")
        return found

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > MAX_LOOKUPS:
            raise _End(SpfResult.PERMERROR, f"it needs more than {MAX_LOOKUPS} DNS lookups")

    def _expanded(self, text: str, domain: str) -> str:
        """A domain-spec with its macros filled in (section 7), without labels on the left where it is too long."""
        local, _, own = self._sender.rpartition("@")
        values = {
            "s": self._sender, "l": local or "postmaster", "o": own, "d": domain, "h": own, "p": "unknown",
            "i": _dotted(self._ip), "v": "ip6" if isinstance(self._ip, ipaddress.IPv6Address) else "in-addr",
        }  # fmt: skip

        def filled(found: re.Match[str]) -> str:
            letter, count, backwards, edges, plain = found.groups()
            if plain:
                return {"%": "%", "_": " ", "-": "%20"}[plain]
            if not letter or count == "0":
                raise _End(SpfResult.PERMERROR, f"the macro in {text[:60]} is not valid")
            parts = re.split(f"[{re.escape(edges or '.')}]", values[letter.lower()])
            parts = parts[::-1] if backwards else parts
            value = ".".join(parts[-int(count) :] if count else parts)
            return quote(value, safe="") if letter.isupper() else value

        name = _MACRO.sub(filled, text).rstrip(".").lower()
        while len(name) > MAX_NAME and "." in name:
            name = name.partition(".")[2]
        return name


def _dotted(ip: Ip | None) -> str:
    if isinstance(ip, ipaddress.IPv6Address):
        return ".".join(ip.exploded.replace(":", ""))
    return "0.0.0.0" if ip is None else str(ip)


def _parsed(text: str) -> _Record:
    """The terms of a record (section 4.6.1); one that is not valid makes the whole record invalid."""
    record = _Record()
    for word in text.split()[1:]:
        if found := _TERM.fullmatch(word):
            record.mechanisms.append(_mechanism(found, word))
        elif (modifier := _MODIFIER.fullmatch(word)) is None:
            raise _wrong(word)
        elif modifier.group(1).lower() == "redirect":
            if record.redirect or not modifier.group(2):
                raise _wrong(word)
            record.redirect = modifier.group(2)
    if any(mechanism.name == "all" for mechanism in record.mechanisms):
        record.redirect = ""
    return record


def _mechanism(found: re.Match[str], word: str) -> _Mechanism:
    qualifier, name, rest = found.group(1), found.group(2).lower(), found.group(3)
    if name in ("ip4", "ip6"):
        return _Mechanism(qualifier, name, _network(name, rest, word), (None, None), word)
    target = _TARGET.fullmatch(rest)
    if target is None:
        raise _wrong(word)
    domain = target.group(1) or ""
    four, six = (None if text is None else int(text) for text in target.group(2, 3))
    with_prefix = four is not None or six is not None
    if (
        (name == "all" and rest)
        or (name in ("include", "exists") and not domain)
        or (with_prefix and name not in ("a", "mx"))
        or (four or 0) > 32
        or (six or 0) > 128
    ):
        raise _wrong(word)
    return _Mechanism(qualifier, name, domain, (four, six), word)


def _network(name: str, rest: str, word: str) -> str:
    try:
        network = ipaddress.ip_network(rest.removeprefix(":"), strict=False)
    except ValueError:
        raise _wrong(word) from None
    if not rest.startswith(":") or network.version != (4 if name == "ip4" else 6):
        raise _wrong(word)
    return str(network)


def _wrong(word: str) -> _End:
    return _End(SpfResult.PERMERROR, f"“{word[:60]}” in its SPF record is not valid")
