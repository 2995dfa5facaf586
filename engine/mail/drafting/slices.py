"""Initials for each invented person, so that requests that know nothing of each other do not invent the same people."""

from __future__ import annotations

from dataclasses import dataclass

from engine.mail.drafting.addresses import made_up_address, name_in_letters

_FIRST = "AMJSLECDKRNTBPFHGIVO"
_LAST = "BSMHRLKPCGDTFWNVAOE"
PAIRS = len(_FIRST) * len(_LAST)
"""Different initials; later items have those of earlier ones again."""
_STEP = 197  # coprime to PAIRS: neighbours get other letters, and every pair comes once before any comes again


@dataclass(frozen=True, slots=True)
class Initials:
    """The initials that an item's person is asked to have."""

    first: str
    last: str

    def __str__(self) -> str:
        """As a prompt says it."""
        return f"{self.first}. {self.last}."

    def fit(self, first_name: str, last_name: str) -> bool:
        """Whether a person has them."""
        names = name_in_letters(first_name)[:1], name_in_letters(last_name)[:1]
        return names == (self.first.lower(), self.last.lower())


def initials_of(item: int, seed: int) -> Initials:
    """The initials of an item, a function of it and of the job's seed alone."""
    place = (item * _STEP + seed) % PAIRS
    return Initials(_FIRST[place // len(_LAST)], _LAST[place % len(_LAST)])


def address_of(item: int, seed: int, first_name: str, last_name: str, company: str) -> str:
    """The address of an item's person, different from that of every other item of the job.

    A person with the item's own initials, which no other item has, needs no number; any other gets the item's.
    """
    own = item < PAIRS and initials_of(item, seed).fit(first_name, last_name)
    return made_up_address(first_name, last_name, company, None if own else item + 1)
