"""Ways to spell a name where it leaves a choice, and how likely each is until a domain shows its own habit.

All weights are estimates from general knowledge of public staff pages; a domain's own addresses soon outweigh them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Choice(StrEnum):
    """What there is to choose about a name."""

    UMLAUT = "special letters"
    """ü as ue or u, å as aa or a."""
    CYRILLIC = "Cyrillic letters"
    """As dictionaries of English transcribe (yu, ya), or as passports do (iu, ia: ICAO Doc 9303 part 3)."""
    APOSTROPHE = "the apostrophe"
    GIVEN_HYPHEN = "the double first name"
    """Jean-Luc."""
    GIVEN_WORDS = "the second first name"
    """Maria Fernanda."""
    MIDDLE = "the middle initial"
    """John Q."""
    INITIALS = "the initials"
    """j or jl for Jean-Luc, where a pattern shows an initial."""
    NICKNAME = "the short first name"
    """Bob for Robert."""
    SURNAME_HYPHEN = "the double surname"
    """Smith-Jones."""
    SURNAME_WORDS = "the second surname"
    """García Márquez."""
    PARTICLE = "the particle"
    """van der, de la, von."""


class Habit(NamedTuple):
    """One way to settle one choice."""

    choice: Choice
    option: str


JOINED, HYPHEN, SEPARATED, FIRST, LAST = "joined", "hyphenated", "separated", "by its first part only", "by its last part only"
"""How a name of several parts may be written; `SEPARATED`: by the pattern's own separator."""
DROPPED, KEPT, ABBREVIATED = "left out", "kept", "abbreviated"
EXPANDED, PLAIN = "as two letters", "as one letter"
ENGLISH, PASSPORT = "as in English", "as in passports"
ONE, EACH = "only the first", "all of them"
FORMAL, SHORT = "left out", "used"

BASE: Mapping[Choice, Mapping[str, float]] = MappingProxyType(
    {
        Choice.UMLAUT: {EXPANDED: 0.6, PLAIN: 0.4},
        Choice.CYRILLIC: {ENGLISH: 0.7, PASSPORT: 0.3},
        Choice.APOSTROPHE: {DROPPED: 0.95, KEPT: 0.05},
        Choice.GIVEN_HYPHEN: {HYPHEN: 0.44, JOINED: 0.3, FIRST: 0.2, SEPARATED: 0.06},
        Choice.GIVEN_WORDS: {FIRST: 0.74, JOINED: 0.13, SEPARATED: 0.07, HYPHEN: 0.03, LAST: 0.03},
        Choice.MIDDLE: {DROPPED: 0.86, SEPARATED: 0.09, JOINED: 0.05},
        Choice.INITIALS: {ONE: 0.8, EACH: 0.2},
        Choice.NICKNAME: {FORMAL: 0.93, SHORT: 0.07},
        Choice.SURNAME_HYPHEN: {HYPHEN: 0.47, JOINED: 0.27, LAST: 0.12, FIRST: 0.1, SEPARATED: 0.04},
        Choice.SURNAME_WORDS: {FIRST: 0.36, JOINED: 0.3, LAST: 0.2, SEPARATED: 0.07, HYPHEN: 0.07},
        Choice.PARTICLE: {JOINED: 0.58, DROPPED: 0.18, HYPHEN: 0.09, SEPARATED: 0.11, ABBREVIATED: 0.04},
    }
)
"""How likely each option is where nothing is known; each choice adds up to 1."""

_STRENGTH = 1.0
"""Addresses that the base weights of a choice are worth."""


def chances(
    choice: Choice, options: Collection[str], seen: Mapping[Habit, float], base: Mapping[str, float] | None = None
) -> dict[str, float]:
    """The probability of each of a name's options, from base weights and the domain's counts; they add up to 1."""
    weights = base or BASE[choice]
    share = sum(weights[option] for option in options)
    counts = {option: seen.get(Habit(choice, option), 0.0) for option in options}
    total = _STRENGTH + sum(counts.values())
    return {option: (_STRENGTH * weights[option] / share + counts[option]) / total for option in options}
