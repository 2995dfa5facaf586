"""What finding takes and gives: people, known pairs of name and address, what was learned, and candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.mail.finding.habits import Habit

OTHER = "other"
"""Stands among a domain's weights for local parts that no pattern explains."""


@dataclass(frozen=True, slots=True)
class Person:
    """A name as given, in any script; either part may be empty, and a full name may stand in one of them."""

    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A known local part at the domain in question, and whose it is."""

    local: str
    person: Person


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of how a domain spells its addresses.

    `weights`: the probability of each pattern, and of `OTHER`, for the next person; they add up to 1. `counts`: how many of the
    known addresses each explains, shared where several do. `evidence`: how many addresses were learned from. `best`: the
    pattern that leads, None where nothing points to one. `habits`: how often names were spelled in one way or another.
    """

    weights: Mapping[str, float]
    counts: Mapping[str, float] = field(default_factory=dict)
    evidence: int = 0
    best: str | None = None
    habits: Mapping[Habit, float] = field(default_factory=dict)

    def explain(self) -> str:
        """One sentence on the domain's pattern, for a person to read."""
        if self.evidence == 0:
            return "No address of a person is known at this domain."
        if self.best is None:
            return f"{known(self.evidence)} at this domain {'shows' if self.evidence == 1 else 'show'} no clear pattern."
        share = f"{self.best} fits {fitting(self)}"
        second = self._second()
        return f"{share}; {second} occurs too." if second else f"{share}."

    def _second(self) -> str:
        others = [p for p, n in self.counts.items() if p not in (self.best, OTHER) and n >= 0.8]
        return max(others, key=lambda pattern: (self.counts[pattern], pattern), default="")


def known(count: int) -> str:
    """How many known addresses, in words."""
    return "1 known address" if count == 1 else f"{count} known addresses"


def fitting(learned: Learned) -> str:
    """How many of the known addresses the best pattern explains, in words; "" without one."""
    if learned.best is None:
        return ""
    count = min(max(round(learned.counts.get(learned.best, 0.0)), 1), learned.evidence)
    if learned.evidence == 1:
        return "the only known address of this domain"
    if count == learned.evidence:
        return f"all {count} known addresses of this domain"
    return f"{count} of {learned.evidence} known addresses of this domain"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A local part that may be a person's, in lower case.

    `pattern`: the likeliest that gives it; `prior`: the probability, before anything is verified, that it is the person's, of
    all local parts (those of several patterns that come out the same are added up); `why`: a phrase for people.
    """

    local: str
    pattern: str
    prior: float
    why: str
