"""Cells of an address column: one recipient, none, or more than can be sent to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import Address
from engine.mail.message import Mailbox, MailboxFlaw, Malformed, Refused, flaw_of, read


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("ann@example.com", "ann@example.com"),
        (" ann@example.com\r\n", "ann@example.com"),
        ("Ann Smith <ann@example.com>", "ann@example.com"),
        ('"Smith, Ann" <ann@example.com>', "ann@example.com"),
        ("ann@example.com <ann@example.com>", "ann@example.com"),
        ("Ann @ Sample <ann@example.com>", "ann@example.com"),
        ("mailto:ann@example.com?subject=Hi", "ann@example.com"),
        ("r&d/x+y=z@example.com", "r&d/x+y=z@example.com"),
        ("jörg@bücher.test", "jörg@bücher.test"),
    ],
)
def test_one_recipient(cell, shown):
    found = read(cell)
    assert isinstance(found, Address)
    assert found.normalized == shown
    assert flaw_of(cell) is None


@pytest.mark.parametrize("cell", [None, "", "  ", "nobody", "a@", "@b.test", "a b@c", 12, 1.5, True, "a@@b.test", "ann@example"])
def test_no_address_is_a_flaw_of_the_row(cell):
    found = flaw_of(cell)
    assert isinstance(found, Malformed)
    assert found.message


@pytest.mark.parametrize(
    "cell",
    [
        "a@x.test, b@y.test",
        "a@x.test,b@y.test",
        "a@x.test;b@y.test",
        "a@x.test b@y.test",
        "a@x.test\tb@y.test",
        "a@x.test | b@y.test",
        "a@x.test/b@y.test",
        "a@x.test，b@y.test",
        "a@x.test <b@y.test>",
        "A <a@x.test>, B <b@y.test>",
        '"a@x.test" <b@y.test>',
        "mailto:a@x.test,b@y.test",
        "mailto:a@x.test?cc=b@y.test",
        "mailto:a%40x.test%2Cb%40y.test",
        ["a@x.test", "b@y.test"],
    ],
)
def test_two_addresses_in_one_field_are_refused(cell):
    found = flaw_of(cell)
    assert isinstance(found, Refused)
    assert "@" not in found.message


@pytest.mark.parametrize("control", ["\r\n", "\n", "\r", "\0", "\x0b", "\x85", "\u2028", "\u2029", "\x7f", "\ud800"])
def test_control_characters_are_refused(control):
    for cell in (f"a@x.test{control}Bcc: b", f"Ann{control}Smith <a@x.test>", f"a{control}b@x.test"):
        assert isinstance(flaw_of(cell), Refused)


@given(st.text() | st.integers() | st.floats() | st.none() | st.lists(st.text()))
def test_any_cell_is_read(cell):
    found = read(cell)
    assert isinstance(found, Address | Malformed | Refused)
    assert isinstance(found, Address) == (flaw_of(cell) is None)


@given(st.emails(), st.emails(), st.text(max_size=3))
def test_never_one_of_two_different_addresses(one, other, between):
    if one.lower() != other.lower():
        assert not isinstance(read(f"{one} {between} {other}"), Address)


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        ("ann@example.com", "", "ann@example.com"),
        ("Ann <ann@example.com>", "Ann", "ann@example.com"),
        (' "Smith,  Ann \\"A\\"" <ann@example.com> ', 'Smith, Ann "A"', "ann@example.com"),
        ("Jörg <jörg@bücher.test>", "Jörg", "jörg@bücher.test"),
        ("<ann@example.com>", "", "ann@example.com"),
    ],
)
def test_mailboxes(text, name, shown):
    mailbox = Mailbox.of(text)
    assert (mailbox.name, mailbox.address.normalized) == (name, shown)


@pytest.mark.parametrize(
    "text", ["", "Ann", "Ann <a@x.test>, Bob <b@x.test>", "Ann\nBcc: x <a@x.test>", "Ann\0 <a@x.test>", "A" * 201 + " <a@x.test>"]
)
def test_what_is_not_one_mailbox(text):
    with pytest.raises(MailboxFlaw):
        Mailbox.of(text)
