"""The address column of a table: by name, else by content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.columns import address_column, address_columns

GOOD = ["ann@shop.test", "bob@shop.test"]
WORDS = ["red", "green"]


@pytest.mark.parametrize(
    "name",
    [
        "email",
        "Email",
        "E-Mail",
        "e mail",
        "EMAIL ",
        "mail",
        "email_address",
        "Email Address",
        "emailAddress",
        "E-Mail-Adresse",
        "E-Mail Adresse",
        "correo",
        "Correo electrónico",
        "courriel",
        "Adresse électronique",
        "work email",
        "Email 1",
        "indirizzo e-mail",
        "contact_mail",
        "e-post",
    ],
)
def test_a_name_says_so(name):
    assert address_column(["id", name, "note"], {"id": [1, 2], name: GOOD, "note": WORDS}) == name
    assert address_column(["id", name], {}) == name


def test_the_exact_name_is_best():
    names = ["work email", "email_address", "mail", "email"]
    assert address_columns(names, dict.fromkeys(names, GOOD)) == ["email", "email_address", "mail", "work email"]


def test_a_named_column_without_at_signs_loses():
    sample = {"email": ["yes", "no"], "contact": GOOD}
    assert address_columns(["email", "contact"], sample) == ["contact", "email"]


def test_a_named_column_of_no_values_stands():
    assert address_column(["a", "email"], {"a": WORDS, "email": [None, ""]}) == "email"


def test_other_words_about_mail_are_not_addresses():
    assert address_column(["email_status", "mail sent date"], {"email_status": WORDS, "mail sent date": [1, 2]}) is None


def test_by_content_the_fullest_column_wins():
    sample: dict[str, list[object]] = {"a": [*WORDS], "b": [*GOOD, "x", None, float("nan")], "c": [*GOOD, *GOOD, "x"]}
    assert address_columns(["a", "b", "c"], sample) == ["c", "b"]


def test_less_than_half_is_not_enough():
    assert address_column(["a"], {"a": [*GOOD, "x", "y", "z"]}) is None
    assert address_column(["a"], {"a": [*GOOD, "x", "y"]}) == "a"


def test_nothing_to_find():
    assert address_column([], {}) is None
    sample: dict[str, list[object]] = {"a": [1, 2.5], "b": [b"x", True]}
    assert address_column(["a", "b"], sample) is None


@given(
    st.lists(st.text(max_size=12), max_size=5, unique=True), st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=20)))
)
def test_any_table_is_looked_at(names, values):
    found = address_columns(names, dict.fromkeys(names, values))
    assert set(found) <= set(names)
    assert len(set(found)) == len(found)
