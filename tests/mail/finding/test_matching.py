"""Whose address is this?"""

from __future__ import annotations

import pytest

from engine.mail.finding import Person, Strength, learn, match_people, person_beside
from tests.mail.finding.folk import FOLK, taught

JOHN, JANE, BOB = Person("John", "Smith"), Person("Jane", "Smith"), Person("Bob", "Roe")


def found(people, seen, learned=None):
    return [(match.pair.local, match.pair.person, match.pattern) for match in match_people(people, seen, learned)]


def test_a_full_name_names_one_person():
    assert found([JOHN, JANE, BOB], ["Jane.Smith", "info", "john_smith2", "broe"]) == [
        ("jane.smith", JANE, "first.last"),
        ("john_smith2", JOHN, "first_last"),
        ("broe", BOB, "flast"),
    ]


def test_what_fits_two_people_is_nobodys():
    assert found([JOHN, JANE], ["jsmith", "smith", "j.smith"]) == []
    assert found([JOHN, BOB], ["jsmith"]) == [("jsmith", JOHN, "flast")]


def test_the_stronger_reading_wins():
    ann, annie = Person("Ann", "Ie"), Person("Annie", "Roe")
    assert found([ann, annie], ["annie"]) == [("annie", ann, "firstlast")]


def test_strengths():
    matches = match_people([BOB], ["bob", "broe", "bob.roe", "br", "roe"])
    assert [match.strength for match in matches] == [Strength.FULL, Strength.INITIAL, *[Strength.PART] * 3]


def test_the_domain_settles_the_pattern():
    lee = Person("Lee", "Lee")
    assert found([lee], ["lee"], learn(taught("last")))[0][2] == "last"
    assert found([lee], ["lee"], learn(taught("first")))[0][2] == "first"


def test_everybody_is_found_by_the_usual_address():
    people = [person for person, _, _ in FOLK]
    matches = {match.pair.local: match.pair.person for match in match_people(people, [f"{f}.{n}" for _, f, n in FOLK])}
    assert all(matches[f"{first}.{last}"] == person for person, first, last in FOLK)


BESIDE = [
    ("jdoe", "Jane Doe", ("Jane", "Doe")),
    ("jane.doe", "Please contact Jane Doe at", ("Jane", "Doe")),
    ("jdoe", "Acme Corp, CEO: Jane Doe, Phone", ("Jane", "Doe")),
    ("j.vanderberg", "Our Sales Manager Jan van der Berg", ("Jan", "van der Berg")),
    ("hmueller", "Geschäftsführer: Dr. Hans Müller Telefon", ("Hans", "Müller")),
    ("smith.john", "SMITH John, Paris", ("John", "SMITH")),
    ("jsmith", "Acme Inc. John Q. Smith President", ("John Q", "Smith")),
    ("ipetrov", "Иван Петров", ("Иван", "Петров")),
    ("jacqueline.chartier", "Chartier, Jacqueline Managing Director", ("Jacqueline", "Chartier")),
    ("a.peukert", "Field Service Dr. Arne Peukert E-Mail:", ("Arne", "Peukert")),
    ("uwe.lang", "Prof. Dr. Uwe Lang", ("Uwe", "Lang")),
]


@pytest.mark.parametrize(("local", "text", "person"), BESIDE)
def test_the_person_beside(local, text, person):
    beside = person_beside(local, text)
    assert beside is not None
    assert (beside.first, beside.last) == person


@pytest.mark.parametrize(
    ("local", "text"),
    [("info", "Jane Doe"), ("jane", "Jane Doe"), ("jdoe", "Bob Roe"), ("jdoe", ""), ("jdoe", "jane doe"), ("", "Jane Doe")],
)
def test_nobody_beside(local, text):
    assert person_beside(local, text) is None
