"""A lab of domains with patterns and spelling habits of their own: how often is the first candidate right?"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass

import pytest
from faker import Faker

from engine.mail.finding import PRIOR, Pair, Person, candidates, learn
from tests.mail.finding.folk import STYLES, built

LOCALES = "en_US en_GB de_DE fr_FR es_ES it_IT pl_PL nl_NL sv_SE da_DK no_NO tr_TR pt_BR cs_CZ hu_HU fi_FI ro_RO hr_HR".split()
DOMAINS, PEOPLE = 40, 500
_WIDE = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_NARROW = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "đ": "d", "ı": "i", "œ": "oe"})


@dataclass(frozen=True, slots=True)
class Domain:
    """How an organisation spells: its pattern, ü as ue or u, hyphens kept or not."""

    pattern: str
    locale: str
    wide: bool
    hyphens: bool

    def local(self, person: Person) -> str:
        return built(self.pattern, self._spelled(person.first), self._spelled(person.last))

    def _spelled(self, name: str) -> str:
        text = unicodedata.normalize("NFC", name).lower()
        text = (text.translate(_WIDE) if self.wide else text).translate(_NARROW)
        text = "".join(c for c in unicodedata.normalize("NFD", text) if c.isascii() and (c.isalpha() or c == "-"))
        return text if self.hyphens else text.replace("-", "")


def measured(known: int, seed: int = 7, *, nameless: bool = False, everyday: bool = False) -> float:
    """The share of people whose first candidate is right. `everyday`: patterns as common as the prior says."""
    rng = random.Random(seed)
    fakers = Faker(LOCALES)
    fakers.seed_instance(seed)
    right = asked = 0
    for number in range(DOMAINS):
        pattern = rng.choices(STYLES, [PRIOR[style] for style in STYLES])[0] if everyday else STYLES[number % len(STYLES)]
        locale = rng.choice(LOCALES)
        domain = Domain(pattern, locale, locale in ("de_DE", "da_DK") and rng.random() < 0.7, rng.random() < 0.6)
        people = [Person(fakers[locale].first_name(), fakers[locale].last_name()) for _ in range(known + PEOPLE // DOMAINS + 1)]
        pairs = [Pair(domain.local(person), person) for person in people[:known]]
        learned = learn([], [pair.local for pair in pairs]) if nameless else learn(pairs)
        for person in people[known:]:
            found = candidates(person, learned)
            right += bool(found) and found[0].local == domain.local(person)
            asked += 1
    assert asked >= PEOPLE
    return right / asked


@pytest.mark.parametrize(("known", "least"), [(1, 0.9), (2, 0.9), (3, 0.93)])
def test_first_place_with_known_pairs(known, least):
    assert measured(known) >= least


def test_first_place_with_addresses_only():
    assert measured(5, nameless=True) >= 0.8


def test_nothing_known_is_as_good_as_the_commonest_pattern():
    assert 0.2 <= measured(0, everyday=True) <= 0.6
