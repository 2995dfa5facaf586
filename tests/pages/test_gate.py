"""The login gate: open by default, else the token, a ticket for the browser, or the cookie it was traded for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
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
    return clean(AppTest.from_file(ROUTER, default_timeout=30).run())


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
    app = AppTest.from_file(ROUTER, default_timeout=30)
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
