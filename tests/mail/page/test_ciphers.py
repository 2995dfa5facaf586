"""Ciphers: the right texts come out, wrong ones come to nothing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.page.ciphers import cloudflare, from_base64, percent_decoded, rot13, shifted
from engine.mail.page.entities import decoded
from engine.mail.page.invisible import plain
from tests.lab import planted_codes

EMAIL = "Ada.Lind+x@kestrelworks.com"


@given(st.integers(0, 255), st.emails())
def test_cloudflare_undoes_every_key(key: int, email: str) -> None:
    assert cloudflare(planted_codes.cloudflare(email, key)) == (email if len(email.encode()) >= 3 else "")


@pytest.mark.parametrize("text", ["", "5a", "5a3", "zz1122334455", "5a " * 10, "é" * 10, "00" * 5_000])
def test_cloudflare_refuses_what_is_none(text: str) -> None:
    assert cloudflare(text) == ""


@pytest.mark.parametrize("offset", range(-25, 26))
def test_shifted_letters_are_shifted_back(offset: int) -> None:
    link = "mailto:ada.lind-x@kestrelworks.com"
    assert shifted(planted_codes.typo3(link, offset)) == link


def test_base64_in_its_spellings() -> None:
    for spelling in (base64.b64encode(EMAIL.encode()), base64.urlsafe_b64encode(EMAIL.encode()).rstrip(b"=")):
        assert from_base64(spelling.decode()) == EMAIL
    assert from_base64("short") == "" and from_base64("/+/+/+/+") == "" and from_base64("not base64 at all!") == ""


@given(st.text(max_size=80))
def test_ciphers_take_any_text(text: str) -> None:
    for cipher in (cloudflare, from_base64, shifted, percent_decoded, decoded, plain):
        assert isinstance(cipher(text), str)
    assert rot13(rot13(text)) == text


def test_references_are_decoded_as_often_as_they_were_encoded_up_to_five_times() -> None:
    once = "&#97;&#64;&period;"
    assert decoded(once) == decoded(once.replace("&", "&amp;")) == decoded(once.replace("&", "&amp;amp;amp;")) == "a@."
    assert decoded("&" + "amp;" * 20 + "#64;") != "@"


def test_the_text_as_a_reader_sees_it() -> None:
    assert plain("a\u200b＠ｂ．ｃ\u00ad\u00a0x") == "a@b.c x"
    assert plain("\u202ecba\u202c d") == "abc d"
    assert plain("日本語。") == "日本語。"
