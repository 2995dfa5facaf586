"""The relay's URL is read as written, and whatever is wrong with it, the password is not told."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.net.submission_url import SETTING, Relay, relay_of

TEXT = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://mail.example.com", Relay("mail.example.com", 25)),
        ("smtp://Mail.Example.COM:2525/", Relay("mail.example.com", 2525)),
        ("smtp://jane:secret@mail.example.com", Relay("mail.example.com", 587, user="jane", password="secret")),
        ("smtps://jane%40x.test:p%40ss%2F@mail.example.com", Relay("mail.example.com", 465, True, "jane@x.test", "p@ss/")),
        ("smtps://jane@x.test:a+b@mail.example.com", Relay("mail.example.com", 465, True, "jane@x.test", "a+b")),
        ("smtps://[2001:db8::1]:466", Relay("2001:db8::1", 466, True)),
        ("smtp://127.0.0.1?verify=off", Relay("127.0.0.1", 25, verify=False)),
        ("smtp://relay?ca=/etc/ours.pem", Relay("relay", 25, authorities=Path("/etc/ours.pem"))),
        ("smtp://bücher.example", Relay("xn--bcher-kva.example", 25)),
    ],
)
def test_it_is_read_as_written(url: str, relay: Relay):
    assert relay_of(url) == relay


@given(user=TEXT, password=TEXT)
def test_any_login_can_be_written(user: str, password: str):
    relay = relay_of(f"smtps://{quote(user, safe='')}:{quote(password, safe='')}@mail.example.com:465")
    assert (relay.user, relay.password, relay.host) == (user, password, "mail.example.com")
    assert repr(relay) == repr(Relay("mail.example.com", 465, True, user))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.com",
        "http://jane:hunter2@mail.example.com",
        "smtp://",
        "smtp://jane:hunter2@",
        "smtp://jane:hunter2@mail.example.com:0",
        "smtp://jane:hunter2@mail.example.com:70000",
        "smtp://jane:hunter2@mail.example.com:hunter2",
        "smtp://jane:hunter2/x@mail.example.com",
        "smtp://jane:hunter2#x@mail.example.com",
        "smtp://jane:hunter2?x@mail.example.com",
        "smtp://jane:hunter2@mail.example.com?hunter2=1",
        "smtp://jane:hunter2@mail.example.com?hunter2",
        "smtp://jane:hunter2@mail.example.com?verify=hunter2",
        "smtp://jane:hunter2@mail.example.com?verify=off&verify=on",
        "smtp://jane:hunter2@mail.example.com?ca=",
        "smtp://jane:hunter2@mail.example.com?ca=/x&verify=off",
        "smtp://jane:hunter2@mail.example.com/hunter2",
        "smtp://jane:hunter2@[::1",
        "smtp://jane:hunter2@-bad-.example",
        "smtp://jane:hunter2@two words",
        "smtp://jane:hunter2%00@mail.example.com",
        "smtp://jane:hunter2%ff@mail.example.com",
        "smtp://:hunter2@mail.example.com",
        "smtp://hunter2@mail.example.com",
        "smtp://hunter2:@mail.example.com",
    ],
)
def test_what_is_wrong_is_said_without_the_password(url: str):
    with pytest.raises(ConfigError) as caught:
        relay_of(url)
    assert str(caught.value).startswith(f"{SETTING}: ")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(max_size=80))
def test_any_text_is_a_relay_or_an_error(text: str):
    for url in (text, f"smtp://{text}", f"smtps://jane:{text}@mail.example.com"):
        try:
            relay = relay_of(url)
        except ConfigError:
            continue
        assert relay.host
        assert 0 < relay.port < 65536


@pytest.mark.parametrize(
    ("url", "needs_tls", "verifies"),
    [
        ("smtp://mail.example.com", False, True),
        ("smtp://jane:x@mail.example.com", True, True),
        ("smtp://jane:x@mail.example.com?verify=off", True, False),
        ("smtp://127.0.0.1", False, False),
        ("smtp://jane:x@localhost", False, False),
        ("smtp://jane:x@[::1]?verify=on", True, True),
        ("smtp://127.0.0.1?ca=/x", True, True),
        ("smtps://127.0.0.1", False, True),
        ("smtps://127.0.0.1?verify=off", False, False),
    ],
)
def test_tls_is_as_strict_as_it_must_be(url: str, needs_tls: bool, verifies: bool):
    relay = relay_of(url)
    assert (relay.needs_tls, relay.verifies) == (needs_tls, verifies)
    if relay.authorities is None:
        assert relay.context().verify_mode is (ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE)
        assert relay.context().check_hostname is verifies


def test_it_is_shown_without_its_password():
    assert relay_of("smtps://jane%40x.test:hunter2@[2001:db8::1]").shown == "smtps://jane@x.test@[2001:db8::1]:465"
    assert relay_of("smtp://mail.example.com").shown == "smtp://mail.example.com:25"
    assert "hunter2" not in repr(relay_of("smtps://jane:hunter2@mail.example.com"))
