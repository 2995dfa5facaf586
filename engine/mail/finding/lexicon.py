"""How likely a word of a local part is to be a first name or a surname, from the name lists of many countries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from engine.mail.names.census import united_states
from engine.mail.names.countries import COUNTRIES
from engine.mail.names.merged import merged
from engine.mail.names.model import Names

_MOST = 20_000
"""Names of one list that are read, the commonest; the rest of the US census list is mostly noise here."""
_LISTED = 0.8
"""Share of people whose name is on a list."""
_LETTERS = 16
"""What the next letter of an unlisted word is among: fewer than 26, as letters are not equally common."""
_LENGTHS = 12
"""Usual lengths of a word, each taken to be equally likely."""


def chance_first(word: str) -> float:
    """The probability that somebody's first name is spelled as this word (letters a to z)."""
    return _LISTED * _lists()[0].get(word, 0.0) + (1 - _LISTED) * chance_word(word)


def chance_last(word: str) -> float:
    """The probability that somebody's surname is spelled as this word (letters a to z)."""
    return _LISTED * _lists()[1].get(word, 0.0) + (1 - _LISTED) * chance_word(word)


def chance_word(word: str) -> float:
    """The probability of any word at all being this one."""
    return 1 / _LENGTHS * float(_LETTERS) ** -len(word)


def chance_letter(letter: str, *, first: bool) -> float:
    """The probability that a first name (or a surname) begins with a letter."""
    return _initials(first).get(letter, 0.0005)


def is_first(word: str) -> bool:
    """Whether a word in lower case is a listed first name, and not far commoner as a surname."""
    first, last = _lists()
    return first.get(word, 0.0) > last.get(word, 0.0) / 4


def is_last(word: str) -> bool:
    """Whether a word in lower case is a listed surname."""
    return word in _lists()[1]


@cache
def _lists() -> tuple[Mapping[str, float], Mapping[str, float]]:
    """First names and surnames with their share, each country counting the same."""
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for code in COUNTRIES:
        # Not through the shared cache, which would keep all of it.
        names = united_states() if code == "US" else merged(COUNTRIES[code])
        for into, found in ((first, names.first), (last, names.last)):
            for listed in found.values():
                _add(into, listed, 1 / len(found) / len(COUNTRIES))
    return first, last


def _add(into: dict[str, float], names: Names, share: float) -> None:
    weights = names.weights.sum(axis=1).astype(np.float64)
    order = np.argsort(-weights, kind="stable")[:_MOST]
    shares = weights[order] / weights[order].sum() * share
    for word, part in zip(names.spelled.take(order).to_pylist(), shares.tolist(), strict=True):
        into[word] = into.get(word, 0.0) + part


@cache
def _initials(first: bool) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for word, share in _lists()[0 if first else 1].items():
        found[word[0]] = found.get(word[0], 0.0) + share
    return found
