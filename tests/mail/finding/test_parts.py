"""Names taken apart: titles, suffixes, particles, nicknames, and full names in one field."""

from __future__ import annotations

import pytest

from engine.mail.finding import Person
from engine.mail.finding.parts import parts

CASES = [
    ("Jane", "Doe", "Jane", "", "Doe"),
    ("Dr. Jane", "Doe", "Jane", "", "Doe"),
    ("Prof. Dr. med. Jane", "Doe", "Jane", "", "Doe"),
    ("Prof. Dr.-Ing. Jane", "Doe", "Jane", "", "Doe"),
    ("Frau", "Doe", "", "", "Doe"),
    ("Jane", "Doe, PhD, MBA", "Jane", "", "Doe"),
    ("Jane", "Doe M.A.", "Jane", "", "Doe"),
    ("Sammy", "Davis Jr.", "Sammy", "", "Davis"),
    ("Thurston", "Howell III", "Thurston", "", "Howell"),
    ("Yo-Yo", "Ma", "Yo-Yo", "", "Ma"),
    ("", "Jane Ma", "Jane", "", "Ma"),
    ("Don", "Draper", "Don", "", "Draper"),
    ("John Q.", "Public", "John", "Q", "Public"),
    ("J.R.R.", "Tolkien", "J", "R R", "Tolkien"),
    ("Anna (née Bell)", "Kaye", "Anna", "", "Kaye"),
    ("Anna", "Kaye geb. Bell", "Anna", "", "Kaye"),
    ("Doe, Jane", "", "Jane", "", "Doe"),
    ("Jane Doe", "", "Jane", "", "Doe"),
    ("", "Jane Mary Doe", "Jane Mary", "", "Doe"),
    ("", "Ludwig van Beethoven", "Ludwig", "", "van|Beethoven"),
    ("", "van Gogh", "", "", "van|Gogh"),
    ("Vincent van", "Gogh", "Vincent", "", "van|Gogh"),
    ("Jan", "van der Berg", "Jan", "", "van der|Berg"),
    ("Ana", "García y Vega", "Ana", "", "García Vega"),
    ("Ana", "García de la Cruz", "Ana", "", "García de la|Cruz"),
    ("Cher", "", "Cher", "", ""),
    ("", "", "", "", ""),
]


@pytest.mark.parametrize(("first", "last", "given", "middle", "surname"), CASES)
def test_parts(first, last, given, middle, surname):
    found = parts(Person(first, last))
    shown = " ".join("|".join(filter(None, [" ".join(name.particles), name.word])) for name in found.surnames)
    assert (" ".join(found.given), " ".join(found.middle), shown) == (given, middle, surname)


@pytest.mark.parametrize("first", ['William "Bill"', "William (Bill)", "William 'Bill'", "William „Bill“"])
def test_nicknames(first):
    found = parts(Person(first, "Gates"))
    assert (found.given, found.nickname) == (("William",), "Bill")
