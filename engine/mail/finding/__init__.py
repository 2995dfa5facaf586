"""Finding a named person's address: a domain's pattern from known ones, ranked candidates, and how sure a find is."""

from __future__ import annotations

from engine.mail.finding.confidence import CATCH_ALL_MOST, Support, confidence, explain
from engine.mail.finding.guessing import name_of
from engine.mail.finding.learning import learn
from engine.mail.finding.matching import Match, Strength, match_people, person_beside
from engine.mail.finding.model import OTHER, Candidate, Learned, Pair, Person
from engine.mail.finding.patterns import PATTERNS, PRIOR, TINY_PRIOR
from engine.mail.finding.ranking import candidates

__all__ = [
    "CATCH_ALL_MOST",
    "OTHER",
    "PATTERNS",
    "PRIOR",
    "TINY_PRIOR",
    "Candidate",
    "Learned",
    "Match",
    "Pair",
    "Person",
    "Strength",
    "Support",
    "candidates",
    "confidence",
    "explain",
    "learn",
    "match_people",
    "name_of",
    "person_beside",
]
