"""What a local part without a name says of the pattern behind it: `j.smith`, `jane.doe`, `jsmith`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from engine.mail.finding.lexicon import chance_first, chance_last, chance_letter, chance_word
from engine.mail.finding.model import OTHER
from engine.mail.finding.patterns import PATTERNS, Pattern, Piece
from engine.mail.lists import is_role

_UNLIKELY = 0.3
"""How much a local part with a number at its end says less."""
_numbered = re.compile(r"(.*[a-z])[._-]?\d{1,4}").fullmatch
_word = re.compile(r"[a-z]+(?:-[a-z]+)?").fullmatch

_CHANCES: dict[Piece, Callable[[str], float]] = {
    Piece.FIRST: chance_first,
    Piece.LAST: chance_last,
    Piece.F: lambda letter: chance_letter(letter, first=True),
    Piece.L: lambda letter: chance_letter(letter, first=False),
}


def bare(local: str) -> str:
    """A local part in lower case, without a tag (RFC 5233)."""
    name = local.strip().lower()
    return name.partition("+")[0] or name


def unnumbered(local: str) -> str:
    """Without the digits that tell namesakes apart (`jane.doe2`)."""
    found = _numbered(local)
    return found.group(1) if found else local


@lru_cache(maxsize=16_384)
def likelihoods(local: str) -> tuple[tuple[str, float], ...]:
    """The probability of a local part under each pattern that can give it, and under `OTHER`; () for offices and odd ones."""
    text = unnumbered(bare(local))
    if len(text) < 2 or len(text) > 40 or not text.isascii() or is_role(text) or any(map(is_role, re.split(r"[._-]", text))):
        return ()
    found = {name: chance for name, pattern in PATTERNS.items() if (chance := sum(_readings(text, pattern))) > 0}
    return (*found.items(), (OTHER, chance_word(text))) if found else ()


def _readings(text: str, pattern: Pattern) -> Iterator[float]:
    """The probability of each way to read a text as a pattern's pieces."""
    if len(pattern.pieces) == 1:
        if _word(text):
            yield _chance(text, pattern.pieces[0])
        return
    for before, after in _splits(text, pattern):
        yield _chance(before, pattern.pieces[0]) * _chance(after, pattern.pieces[1])


def _splits(text: str, pattern: Pattern) -> Iterator[tuple[str, str]]:
    if pattern.separator:
        before, sign, after = text.partition(pattern.separator)
        if sign and _word(before) and _word(after):
            yield before, after
    elif text.isalpha():
        yield from ((text[:at], text[at:]) for at in range(1, len(text)))


def _chance(text: str, piece: Piece) -> float:
    """An initial is one letter, a name has two or more."""
    if (len(text) == 1) != (piece in (Piece.F, Piece.L)):
        return 0.0
    return _CHANCES[piece](text.replace("-", ""))
