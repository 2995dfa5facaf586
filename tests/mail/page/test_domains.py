"""Domains: what is registered, what is public."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page import registrable
from engine.mail.page.domains import is_public
from engine.mail.page.judge import Judge


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("www.kestrelworks.com", "kestrelworks.com"),
        ("WWW.Kestrelworks.CO.UK", "kestrelworks.co.uk"),
        ("a.b.kestrelworks.com:8080", "kestrelworks.com"),
        ("ada.github.io", "ada.github.io"),
        ("s1.shops.test", "shops.test"),
        ("kestrel.test.", "kestrel.test"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]:80", "[::1]"),
        ("co.uk", "co.uk"),
        ("", ""),
    ],
)
def test_what_somebody_registered(host: str, expected: str) -> None:
    assert registrable(host) == expected


@given(st.text(max_size=40))
def test_any_text_has_a_registrable_domain(host: str) -> None:
    assert isinstance(registrable(host), str)


def test_public_domains() -> None:
    assert is_public("kestrelworks.com") and is_public("kestrel.co.uk") and is_public("xn--p1ai.xn--p1ai")
    assert not is_public("kestrel.test") and not is_public("com") and not is_public("co.uk") and not is_public("kestrel.notatld")
    assert is_public("kestrel.test", frozenset({"test"}))


@pytest.mark.parametrize(
    ("run", "domain"),
    [
        ("kestrel.com", "kestrel.com"),
        ("kestrel.com.", "kestrel.com"),
        ("kestrel.com-", "kestrel.com"),
        ("kestrel.comPhone", "kestrel.com"),
        ("kestrel.COMtel", "kestrel.COM"),
        ("kestrel.com.Phone", "kestrel.com"),
        ("kestrel.de0301234", "kestrel.de"),
        ("kestrel.de_x", "kestrel.de"),
        ("kestrel.com联系", "kestrel.com"),
        ("kestrel.com.png", ""),
        ("kestrel.pngs", ""),
        ("kestrel", ""),
        ("1.2.3", ""),
        ("", ""),
        ("...", ""),
        ("пример.рф", "пример.рф"),
    ],
)
def test_the_domain_at_the_start_of_a_run(run: str, domain: str) -> None:
    assert Judge().domain_in(run) == domain
