"""Finding phrases in replies, whatever became of their accents on the way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import product

REACH = 40
"""How many characters "…" may stand for."""

_BROKEN = re.compile(r"\\x[0-9a-f]{2}|[\ufffd\ud800-\udfff?]+")
_BREAKS = re.compile(r"[.!]")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_GROUPS = re.compile(r"\(([^()]*)\)")
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def plain(text: str) -> str:
    """In lower case, without accents and double spaces; what a wrong character set left of a letter becomes one "?".

    UTF-8 that was read as Latin-1 is read again.
    """
    if not text.isascii():
        with suppress(UnicodeError):
            text = text.encode("latin-1").decode("utf-8")
    return _collapsed(_bare(_BROKEN.sub("?", text)))


def _bare(text: str) -> str:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text.casefold().replace("’", "'")


def _collapsed(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases to look for: whole ones, and beginnings with what may follow them in the same sentence."""

    whole: tuple[str, ...]
    begun: dict[str, tuple[str, ...]]

    def occur(self, text: str) -> bool:
        """Whether one of them is in a `plain` text."""
        if any(map(text.__contains__, self.whole)):
            return True
        return any(begin in text and _followed(text, begin, ends) for begin, ends in self.begun.items())


def _followed(text: str, begin: str, ends: tuple[str, ...]) -> bool:
    start = text.find(begin)
    while start >= 0:
        after = start + len(begin)
        nearby = _BREAKS.split(text[after : after + REACH], maxsplit=1)[0]
        if any(end in nearby for end in ends):
            return True
        start = text.find(begin, after)
    return False


@cache
def phrases(table: str) -> Phrases:
    """The phrases of a table as `engine.mail.phrases` has them: one a line, (a|b) either, "…" a short gap."""
    whole: dict[str, None] = {}
    begun: dict[str, dict[str, None]] = {}
    for line in filter(None, table.splitlines()):
        for choice in _choices(line):
            for spelling in _spellings(choice):
                begin, gap, end = spelling.partition("…")
                if gap:
                    begun.setdefault(begin, {})[end] = None
                else:
                    whole[begin] = None
    return Phrases(tuple(whole), {begin: tuple(ends) for begin, ends in begun.items()})


def _choices(line: str) -> Iterator[str]:
    """Every way to read a line with (a|b) in it."""
    pieces = _GROUPS.split(line)
    yield from map("".join, product(*(piece.split("|") if n % 2 else [piece] for n, piece in enumerate(pieces))))


def _spellings(phrase: str) -> set[str]:
    """A phrase as `plain` may show it: without accents, umlauts spelled out, or with a "?" for each letter that broke."""
    parts = phrase.split("…")
    found = {"…".join(map(_bare, parts)), "…".join(_bare(part.translate(_SPELLED_OUT)) for part in parts)}
    if all(map(_recognisable, parts)):
        found.add("…".join(_FOREIGN.sub("?", part) for part in parts))
    return found


def _recognisable(part: str) -> bool:
    """Whether enough of it stays when its accents break: a word in another script is all question marks then."""
    return part.isascii() or len(_FOREIGN.sub("", part)) >= 4
