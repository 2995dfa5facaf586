"""One key per mailbox, however an address is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.keys import list_key, masked, searched, sorted_out


@pytest.mark.parametrize(
    "text", ["j.doe@gmail.com", "JDoe+shop@GMAIL.com", "J. Doe <j.d.o.e@googlemail.com>", " jdoe@gmail.com "]
)
def test_gmail_ignores_dots_and_tags(text):
    assert list_key(text) == "jdoe@gmail.com"


@pytest.mark.parametrize("text", ["j.doe@x.org", "J.Doe@X.org", "mailto:j.doe@x.org"])
def test_others_do_not(text):
    assert list_key(text) == "j.doe@x.org" and list_key("jdoe+a@x.org") == "jdoe+a@x.org"


@pytest.mark.parametrize("text", ["", "x", "@x.org", "a@b@c", "a@localhost"])
def test_what_is_no_address_has_no_key(text):
    assert list_key(text) is None


def test_a_search_takes_a_whole_address_or_a_part():
    assert searched(" J.Doe@Gmail.com ") == "jdoe@gmail.com"
    assert searched("@gmail.com") == "@gmail.com" and searched(" j.d ") == "j.d" and searched("j.d@") == "j.d@"


def test_a_list_is_sorted_out():
    found = sorted_out(["J.Doe@gmail.com", "nonsense", None, "jdoe@gmail.com", 7, "Müller@x.org"])
    assert found.known == {"jdoe@gmail.com": "J.Doe@gmail.com", "müller@x.org": "Müller@x.org"}
    assert list(found.flaws) == [1, 2, 4] and all(found.flaws.values())


def test_an_address_is_masked():
    assert masked("ann.hill@x.org") == "a•••@x.org" and masked("@") == "•••@"


@given(st.text(max_size=80))
def test_a_key_is_its_own_key(text):
    key = list_key(text)
    assert key is None or (list_key(key) == key and searched(text) == key)
