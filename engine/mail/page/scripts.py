"""Addresses in scripts, which are read as text and never run."""

from __future__ import annotations

import heapq
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
_MAX_PLACES = 5_000
_SMELLS = (
    *(
        "@",
        r"\x40",
        r"\u0040",
        r"\u{40}",
        r"\100",
        "%40",
        "&#64",
        "&#x40",
        "&commat",
        "atob",
        "fromCharCode",
        "fromCodePoint",
        "unescape",
    ),
    *("decodeURI", "rot13", "Rot13", "ROT13", "rot_13", "znvygb", "UnCryptMailto", ".reverse(", "[at]", "(at)", "mailto"),
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
    smells = [smell for smell in _SMELLS if smell in script]
    if len(script) <= _WHOLE:
        if smells:
            yield script
        return
    begin = end = 0
    for place in heapq.merge(*(_places(script, smell) for smell in smells)):
        if place > end + _NEAR:
            if end:
                yield _from_line(script, begin, end)
            begin = max(end, place - _NEAR)
        end = min(len(script), place + _NEAR)
    if end:
        yield _from_line(script, begin, end)


def _places(script: str, smell: str) -> Iterator[int]:
    place, left = script.find(smell), _MAX_PLACES
    while place >= 0 and left > 0:
        left -= 1
        yield place
        place = script.find(smell, place + 1)


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
