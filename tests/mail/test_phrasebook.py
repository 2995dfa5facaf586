"""Phrases are found however a reply was written, and nowhere else."""

from __future__ import annotations

import pytest

from engine.mail import phrases as tables
from engine.mail.phrasebook import phrases, plain

TABLE = """
(user|box) unknown
boîte…(pleine|saturée)
überfüllt
не найден
"""
TABLES = {name: table for name, table in vars(tables).items() if name.isupper()}


@pytest.mark.parametrize(
    "text",
    [
        "User   Unknown",
        "the box unknown.",
        "La boîte aux lettres est pleine",
        "la boite est saturee",
        "la bo\ufffdte est satur\ufffde",
        "la bo?te est satur?e",
        "la bo\\xeete est pleine",
        "la boÃ®te est pleine",
        "UEBERFUELLT",
        "ueberfuellt",
        "überfüllt",
        "\udcfcberf\udcfcllt",
        "он не найден",
    ],
)
def test_a_phrase_is_found(text):
    assert phrases(TABLE).occur(plain(text))


@pytest.mark.parametrize(
    "text",
    ["", "?", "? ?", "user known", "La boîte. Elle est pleine", "la boîte " + "x" * 60 + " pleine", "pleine est la boîte"],
)
def test_nothing_else_is_found(text):
    assert not phrases(TABLE).occur(plain(text))


@pytest.mark.parametrize("name", TABLES)
def test_no_phrase_is_so_short_that_anything_holds_it(name):
    found = phrases(TABLES[name])
    parts = [*found.whole, *(begin + end for begin, ends in found.begun.items() for end in ends)]
    assert parts
    assert all(sum(c.isalnum() for c in part) >= 3 for part in parts)
    assert all(part == plain(part) or part != part.strip() for part in parts)
