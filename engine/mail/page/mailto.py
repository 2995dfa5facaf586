"""`mailto:` links (RFC 6068): the addresses written to, in the path and in the to, cc and bcc fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.mail.address import Address
from engine.mail.page.around import addresses_in
from engine.mail.page.ciphers import percent_decoded
from engine.mail.page.entities import decoded
from engine.mail.page.invisible import plain
from engine.mail.page.judge import Judge
from engine.mail.page.obfuscation import written_in

MAX_HREF = 8_000
_scheme = re.compile(r"[\s\x00-\x20]*(?:https?://)?(?:mailto|m\s?ailto|sendto|smtp)\s*:(?://)?", re.I).match
_alone = re.compile(r"mailto:([A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9.-]{1,253})", re.A).fullmatch
"""As most are written: one address and nothing that has to be decoded."""
_FIELDS = frozenset({"to", "cc", "bcc"})
_separators = re.compile(r"[,;\s]+")


def is_mailto(href: str) -> bool:
    """Whether a link opens a message; spaces, control characters and references in the scheme don't matter."""
    return _scheme(href) is not None


def mailto_addresses(href: str, judge: Judge) -> Iterator[Address]:
    """Every address that a `mailto:` link names, also several, with names around them or in words."""
    if (alone := _alone(href)) is not None and (address := judge.address(alone[1])) is not None:
        yield address
        return
    text = decoded(href[:MAX_HREF])
    found = _scheme(text)
    if found is None:
        return
    path, _, query = text[found.end() :].partition("?")
    parts = [path]
    for field in query.replace("&amp;", "&").split("&"):
        name, _, value = field.partition("=")
        if name.strip().lower() in _FIELDS:
            parts.append(value)
    for part in parts:
        yield from _named(plain(percent_decoded(part)), judge)


def _named(text: str, judge: Judge) -> Iterator[Address]:
    whole = [judge.address(piece) for piece in _separators.split(text) if "@" in piece]
    if whole and all(whole):
        yield from (address for address in whole if address is not None)
        return
    yield from addresses_in(text, judge, limit=200)
    yield from written_in(text, judge)
