"""Name data: every country loads, its names can stand in addresses, and popularity is plausible."""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine.mail.names import COHORTS, COUNTRIES, Gender, Names, load

WANTED = "US GB DE FR ES IT NL PL BR MX AR IN JP CN KR TR RU UA SE NO AU".split()


def commonest(names: Names, n: int = 3, cohort: int | None = None) -> list[str]:
    weights = names.weights.sum(axis=1) if cohort is None else names.weights[:, cohort]
    return [names.shown[int(i)].as_py() for i in np.argsort(-weights, kind="stable")[:n]]


def test_the_promised_countries_are_there():
    assert set(WANTED) <= set(COUNTRIES)


@pytest.mark.parametrize("code", COUNTRIES)
def test_names_can_stand_in_addresses(code):
    country = load(code)
    for names in (*country.first.values(), *country.last.values()):
        assert len(names) >= 49
        assert all(re.fullmatch(r"[a-z]{2,20}", text) for text in names.spelled.to_pylist())
        assert all(text and not text.isspace() for text in names.shown.to_pylist())
        assert (names.weights > 0).all()
        assert names.weights.shape[0] == len(names)


@pytest.mark.parametrize("code", COUNTRIES)
def test_shown_names_are_in_latin_letters(code):
    country = load(code)
    shown = [text for names in (*country.first.values(), *country.last.values()) for text in names.shown.to_pylist()]
    assert not [text for text in shown if re.search(r"[\u0370-\u1dff\u3000-\ud7ff]", text)]


@pytest.mark.parametrize(
    ("code", "gender", "first", "last"),
    [
        ("US", Gender.MALE, "James", "Smith"),
        ("DE", Gender.MALE, "Peter", "Müller"),
        ("PL", Gender.FEMALE, "Anna", "Nowak"),
        ("RU", Gender.FEMALE, "Elena", "Smirnova"),
        ("KR", Gender.FEMALE, "Jihyeon", "Kim"),
        ("CN", Gender.MALE, "Yang", "Wang"),
        ("JP", Gender.MALE, "Hiroshi", "Sato"),
        ("SE", Gender.FEMALE, "Maria", "Andersson"),
        ("BR", Gender.MALE, "José", "Silva"),
        ("GB", Gender.MALE, "David", "Smith"),
        ("AU", Gender.FEMALE, "Sarah", "Smith"),
        ("AR", Gender.FEMALE, "Martina", "Gonzalez"),
    ],
)
def test_the_commonest_name(code, gender, first, last):
    country = load(code)
    assert commonest(country.first[gender], 1) == [first]
    assert commonest(country.last[gender], 1) == [last]


@pytest.mark.parametrize(
    ("year", "girls", "boys"), [(1950, "Linda", "James"), (1975, "Jennifer", "Michael"), (2003, "Emily", "Jacob")]
)
def test_american_first_names_follow_the_birth_year(year, girls, boys):
    first = load("US").first
    cohort = COHORTS.of(year)
    assert girls in commonest(first[Gender.FEMALE], 2, cohort)
    assert boys in commonest(first[Gender.MALE], 2, cohort)


@pytest.mark.parametrize("code", ["PL", "RU", "UA"])
def test_surnames_by_gender(code):
    country = load(code)
    women, men = (set(country.last[gender].shown.to_pylist()) for gender in Gender)
    assert country.surnames_by_gender
    assert any(name.endswith(("wska", "ova", "vska")) for name in women - men)
    assert not any(name.endswith(("wski", "ński", "vskyi")) for name in women)
    assert not any(name.endswith(("wska", "ńska", "vska")) for name in men)


def test_american_surnames_keep_their_census_shares():
    surnames = load("US").last[Gender.MALE]
    shares = dict(zip(surnames.shown.to_pylist(), (surnames.weights[:, 0] / surnames.weights.sum()).tolist(), strict=True))
    assert shares["Smith"] == pytest.approx(0.0111, rel=0.02)
    assert shares["Smith"] / shares["Brown"] == pytest.approx(1.006 / 0.621, rel=1e-6)
    assert "McDonald" in shares


@pytest.mark.parametrize(("year", "cohort"), [(1900, 0), (1910, 0), (1914, 0), (1915, 1), (2017, 21), (2060, 21)])
def test_cohorts(year, cohort):
    assert COHORTS.of(year) == cohort
