"""Character references (`&#106;`), also those that were escaped again and again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from engine.mail.address import Address
from engine.mail.page.around import addresses_in
from engine.mail.page.judge import Judge

_ROUNDS = 5
_MAX_RUNS = 2_000
_REACH = 1_600  # a local part of 64 and a domain of up to 100 characters, each written as eight to ten
_reference = re.compile(r"&(?:amp;|#38;){0,4}(?:#|commat|period)")
# A letter, a dot, a hyphen or an at sign that had no need to be written as a reference.
_needless = re.compile(
    r"&(?:amp;|#38;){0,4}(?:#0{0,5}(?:4[3-6]|6[4-9]|[78]\d|9[05-9]|1[01]\d|12[0-2])\b|#[xX]0{0,5}(?:2[b-eB-E]|[4-7][0-9a-fA-F])\b|commat\b|period\b)"
)
_piece = re.compile(r"(?:&[#\w]{1,12};?|[\w.@+%;-])+").match
_backwards = re.compile(r"[\w.@+%;&#-]*").match


def decoded(text: str) -> str:
    """The text with its references decoded until nothing changes, at most five times."""
    for _ in range(_ROUNDS):
        if "&" not in text:
            break
        plain = unescape(text)
        if plain == text:
            break
        text = plain
    return text


def may_hold_references(text: str) -> bool:
    """Whether references are left in a text."""
    return "&" in text and _reference.search(text) is not None


def encoded_in(source: str, judge: Judge) -> Iterator[Address]:
    """Addresses that a page's source writes with references for characters that need none."""
    end, runs = 0, 0
    for found in _needless.finditer(source):
        if found.start() < end or runs >= _MAX_RUNS:
            continue
        runs += 1
        start = max(end, found.start() - _REACH)
        head = _backwards(source[start : found.start()][::-1])
        begin = found.start() - (head.end() if head else 0)
        piece = _piece(source, begin, begin + 2 * _REACH)
        end = max(found.end(), piece.end() if piece else 0)
        yield from addresses_in(decoded(source[begin:end]), judge, limit=20)
