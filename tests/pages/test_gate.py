"""The login gate: open by default, else the token, a ticket for the browser, or the cookie it was traded for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine import access
from engine.workbench import Workbench
from pages.parts import browser
from tests.pages.conftest import ROUTER, clean, said

TOKEN = "a token of the tests"


@pytest.fixture
def tickets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tickets that browsers are given."""
    found: list[str] = []
    monkeypatch.setattr(browser, "trade", found.append)
    return found


def opened() -> AppTest:
    return clean(AppTest.from_file(ROUTER, default_timeout=120).run())


def test_open_by_default(bench: Workbench, tickets: list[str]) -> None:
    assert "Overview" in said(opened())
    assert tickets == []


def test_a_wrong_token_is_refused(configure: Callable[..., Workbench], tickets: list[str]) -> None:
    configure(api_token=TOKEN)
    app = opened()
    assert "Overview" not in said(app)
    app.text_input(key="token").set_value("guess")
    clean(app.button[0].click().run())
    assert "This is not the token" in said(app)
    assert "guess" not in said(app)
    assert tickets == []


def test_the_token_lets_in_and_gives_a_ticket(configure: Callable[..., Workbench], tickets: list[str]) -> None:
    bench = configure(api_token=TOKEN)
    app = opened()
    app.text_input(key="token").set_value(TOKEN)
    clean(app.button[0].click().run())
    assert "Overview" in said(app)
    assert access.honoured(bench.vault, "ticket", tickets[-1])
    assert not access.honoured(bench.vault, "session", tickets[-1])


def test_no_deep_link_goes_round_the_gate(configure: Callable[..., Workbench]) -> None:
    configure(api_token=TOKEN)
    app = AppTest.from_file(ROUTER, default_timeout=120)
    app.query_params["job_id"] = "anything"
    clean(app.run())
    assert [field.key for field in app.text_input] == ["token"]
    assert "not here" not in said(app)


@pytest.mark.parametrize(("purpose", "inside"), [("session", True), ("ticket", False)])
def test_only_a_session_cookie_lets_in(
    configure: Callable[..., Workbench], cookies: dict[str, str], purpose: str, inside: bool
) -> None:
    bench = configure(api_token=TOKEN)
    cookies[access.COOKIE] = access.mint(bench.vault, purpose, 60)
    assert ("Overview" in said(opened())) is inside


class User(dict[str, object]):
    """What the login says of the visitor."""

    @property
    def is_logged_in(self) -> bool:
        return bool(self)


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch, bench: Workbench) -> Callable[..., None]:
    """A configured login, and who came through it."""
    monkeypatch.setattr(access, "login_configured", lambda: True)

    def came(**claims: object) -> None:
        monkeypatch.setattr(st, "user", User(claims))

    return came


def test_a_login_is_asked_for_where_one_is_configured(login: Callable[..., None], tickets: list[str]) -> None:
    login()
    app = opened()
    assert [button.label for button in app.button] == ["Continue with your account"]
    assert tickets == []


def test_who_is_logged_in_is_let_in_and_may_leave(login: Callable[..., None], tickets: list[str]) -> None:
    login(email="ann@example.com", exp=time.time() + 60)
    app = opened()
    assert "Signed in as ann@example.com" in said(app)
    assert "Sign out" in [button.label for button in app.button]
    assert tickets


def test_an_expired_login_has_to_come_again(login: Callable[..., None]) -> None:
    login(email="ann@example.com", exp=time.time() - 1)
    app = opened()
    assert "Your session has ended" in said(app)
    assert "Overview" not in said(app)
