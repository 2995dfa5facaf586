"""Unsubscribe tokens: read back, and made by nobody else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from engine.mail.unsubscribing import link, read, token
from tests.mail.message.letters import sign

_key = st.text(st.characters(codec="utf-8"), max_size=254)
_job = st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True)


@given(_key, _job)
def test_a_token_is_read_back(key, job):
    made = token(sign, key, job)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", made)
    assert read(sign, made) == (key, job)


def test_any_script_fits():
    assert read(sign, token(sign, "jörg@xn--bcher-kva.test", "job-1")) == ("jörg@xn--bcher-kva.test", "job-1")
    assert len(token(sign, "ü" * 254, "j" * 40)) < 800


@given(st.text() | st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_.="))
def test_rubbish_is_no_token(text):
    assert read(sign, text) is None


def test_every_change_is_seen():
    made = token(sign, "bob@example.org", "job1")
    for at in range(len(made)):
        for other in ("A", "B", "_", ".", "", "é"):
            changed = made[:at] + other + made[at + 1 :]
            if changed != made:
                assert read(sign, changed) is None


def test_another_key_makes_other_tokens():
    assert read(lambda purpose, text: sign(purpose, "other" + text), token(sign, "bob@example.org", "job1")) is None
    assert read(lambda purpose, text: sign("message", text), token(sign, "bob@example.org", "job1")) is None


def test_enormous_texts_are_not_even_decoded():
    assert read(sign, "a" * 10_000_000) is None


def test_the_link():
    assert link("https://lists.example/", "t.s") == "https://lists.example/api/unsubscribe/t.s"
