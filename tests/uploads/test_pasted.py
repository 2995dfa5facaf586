"""Pasted text: lists of addresses in the forms in which people have them, and tables."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.uploads import read_text


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        ("a@b.test", ["a@b.test"]),
        ("a@b.test\nc@d.test\n\nnot one\n", ["a@b.test", "c@d.test", "not one"]),
        ("a@b.test, c@d.test;e@f.test", ["a@b.test", "c@d.test", "e@f.test"]),
        ("a@b.test c@d.test  e@f.test", ["a@b.test", "c@d.test", "e@f.test"]),
        ("a@b.test,\nc@d.test,\n", ["a@b.test", "c@d.test"]),
        ("a@b.test; c@d.test; ", ["a@b.test", "c@d.test"]),
        ("a@b.test, nonsense, c@d.test", ["a@b.test", "nonsense", "c@d.test"]),
        ("Ann Doe <a@b.test>\nBob <c@d.test>", ["Ann Doe <a@b.test>", "Bob <c@d.test>"]),
        ("Ann <a@b.test>, Bob <c@d.test>", ["Ann <a@b.test>", "Bob <c@d.test>"]),
        ("Doe, Ann <a@b.test>; Roe, Bob <c@d.test>", ["Doe, Ann <a@b.test>", "Roe, Bob <c@d.test>"]),
        ('"Doe, Ann" <a@b.test>, "x; y" <c@d.test>', ['"Doe, Ann" <a@b.test>', '"x; y" <c@d.test>']),
        ("a@b.test\tc@d.test\r\ne@f.test\tg@h.test", ["a@b.test", "c@d.test", "e@f.test", "g@h.test"]),
    ],
)
def test_lists(text, emails):
    upload = read_text(text)
    assert upload.columns == ["email"]
    assert upload.table.column("email").to_pylist() == emails
    assert upload.kind == "pasted text"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables(delimiter):
    upload = read_text(f"Name{delimiter}E-Mail\nAnn{delimiter}a@b.test\nBob{delimiter}c@d.test\n")
    assert upload.table.to_pylist() == [{"Name": "Ann", "E-Mail": "a@b.test"}, {"Name": "Bob", "E-Mail": "c@d.test"}]
    assert upload.columns == ["E-Mail"]


def test_a_heading_over_a_list_is_not_an_address():
    assert read_text("E-Mail\na@b.test\nc@d.test").table.to_pylist() == [{"E-Mail": "a@b.test"}, {"E-Mail": "c@d.test"}]


@pytest.mark.parametrize("text", ["", " \n\t", "\x00"])
def test_nothing_is_refused_for_the_field_text(text):
    with pytest.raises(InvalidInput) as caught:
        read_text(text)
    assert caught.value.problems[0].field == "text"


def test_many_quotes_and_brackets_take_no_time():
    for noise in ('"' * 50_000, "<" * 50_000, '"<' * 25_000, "<>" * 25_000, "@ " * 25_000):
        read_text(f"a@b.test, c@d.test <{noise}\n")
