"""Which domains are public, and which of them belong together (the Public Suffix List, https://publicsuffix.org)."""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

_SHARED = frozenset({"co", "com", "net", "org"})


@cache
def _suffixes() -> PublicSuffixList:
    """The list with private parts: two sites on github.io belong to two people."""
    return PublicSuffixList()


@cache
def _registries() -> PublicSuffixList:
    """Only what registries delegate; unknown top levels are unknown."""
    return PublicSuffixList(accept_unknown=False, only_icann=True)


@lru_cache(maxsize=65_536)
def registrable(host: str) -> str:
    """The domain that somebody registered, of a host name (with or without a port) in any case, as lower-case text.

    An IP address, a name without dots and a public suffix are their own registrable domain. Unknown top levels count as suffixes.
    """
    name = host.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    name = name.partition(":")[0].strip(".")
    if not name or name.replace(".", "").isdigit():
        return name
    try:
        return _suffixes().privatesuffix(name) or name
    except (UnicodeError, ValueError):
        return name


@lru_cache(maxsize=65_536)
def is_public(domain: str, extra_tlds: frozenset[str] = frozenset()) -> bool:
    """Whether mail could go to an ASCII domain in lower case: its top level exists, and it isn't just `co.uk` or `com`.

    `extra_tlds` are top levels taken for real besides, such as `test` in a lab.
    """
    head, dot, _ = domain.partition(".")
    if not dot:
        return False
    if domain.rpartition(".")[2] in extra_tlds:
        return True
    suffix = _registries().publicsuffix(domain)
    return suffix is not None and not (suffix == domain and head in _SHARED)


@lru_cache(maxsize=4_096)
def is_top_level(label: str, extra_tlds: frozenset[str] = frozenset()) -> bool:
    """Whether an ASCII label in lower case is a top-level domain."""
    return label in extra_tlds or _registries().publicsuffix(label) is not None
