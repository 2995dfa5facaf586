"""Addresses in scripts, which are read as text and never run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from engine.mail.address import Address
from engine.mail.page.around import addresses_in
from engine.mail.page.ciphers import percent_decoded, rot13
from engine.mail.page.constants import constants_of
from engine.mail.page.invisible import plain
from engine.mail.page.judge import Judge
from engine.mail.page.model import FoundAs
from engine.mail.page.obfuscation import written_in

MAX_TOTAL = 400_000
"""Characters of all scripts of a page that are read closely: those around signs of an address."""
_WHOLE = 20_000
_NEAR = 500
_smell = re.compile(
    r"@|\\x40|\\u0040|\\u\{40\}|\\100|%40|&#0*64|&#x0*40|&commat|atob|fromCharCode|fromCodePoint|unescape|decodeURI|[Rr][Oo][Tt]_?13|znvygb|"
    r"UnCryptMailto|\.reverse\(|\[at\]|\(at\)|mailto"
)
_tag = re.compile(r"<[^<>]{0,2000}>")
_not_here = re.compile(r"ld\+json|x-template|text/template|text/html|importmap|speculationrules", re.I).search
_line_start = re.compile(r"[;\n{}]").search


def script_addresses(scripts: list[str], judge: Judge) -> Iterator[tuple[Address, FoundAs]]:
    """Addresses that the constants of some scripts come to."""
    left = MAX_TOTAL
    for script in scripts:
        for piece in _pieces(script):
            if left <= 0:
                return
            left -= len(piece)
            for text, rotated in constants_of(piece):
                yield from _in_constant(text, rotated, judge)


def is_script(kind: str) -> bool:
    """Whether a script element of that type is a program or data, rather than structured data or a template."""
    return not _not_here(kind)


def _pieces(script: str) -> Iterator[str]:
    """The whole of a short script that smells of addresses; of a long one what is around the smells."""
    if len(script) <= _WHOLE:
        if _smell.search(script):
            yield script
        return
    begin = end = 0
    for found in _smell.finditer(script):
        if found.start() > end + _NEAR:
            if end:
                yield _from_line(script, begin, end)
            begin = max(end, found.start() - _NEAR)
        end = min(len(script), found.end() + _NEAR)
    if end:
        yield _from_line(script, begin, end)


def _from_line(script: str, begin: int, end: int) -> str:
    """A stretch that begins with a statement rather than within a string, where one begins near."""
    found = _line_start(script, begin, min(end, begin + _NEAR))
    return script[found.end() if found and begin else begin : end]


def _in_constant(text: str, rotated: bool, judge: Judge) -> Iterator[tuple[Address, FoundAs]]:
    """The addresses in a text, seen as text, as markup and as a URL."""
    technique = FoundAs.ROT13 if rotated else FoundAs.SCRIPT
    if "znvygb:" in text.lower():
        text, technique = rot13(text), FoundAs.ROT13
    if "%" in text:
        text = percent_decoded(text)
    if "&" in text:
        text = unescape(text)
    text = plain(text)
    found = [*addresses_in(text, judge, limit=1_000)]
    if "<" in text:
        bare = _tag.sub("", text)
        if bare != text:
            found += addresses_in(bare, judge, limit=1_000)
    if not found and len(text) < 1_000:
        found = list(written_in(text, judge))
    yield from ((address, technique) for address in found)
