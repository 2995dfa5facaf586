"""The login gate: open when nothing is configured, else Streamlit's OIDC login or the API token."""

from __future__ import annotations

import time
from html import escape

import streamlit as st

from engine import access
from engine.workbench import Workbench
from pages.parts import browser, markup

_TICKET = "ticket"
_IN = "let_in"


def admitted(bench: Workbench) -> bool:
    """Whether the visitor is let in. Without a token and a login everybody is."""
    if not access.required(bench.settings):
        return True
    if access.login_configured():
        return bool(st.user.is_logged_in) and not _expired()
    return bool(st.session_state.get(_IN)) or _session_cookie(bench)


def ask(bench: Workbench) -> None:
    """Ask who it is: by the login where there is one, else for the token."""
    if access.login_configured():
        _ask_login()
    else:
        _ask_token(bench)


def open_downloads(bench: Workbench) -> None:
    """Where something is locked, once a session: a cookie with which the browser's downloads from `/api` are let in."""
    if not access.required(bench.settings):
        return
    if access.login_configured():
        browser.return_to_deep_link()
    if not _session_cookie(bench):
        browser.trade(st.session_state.setdefault(_TICKET, access.mint(bench.vault, "ticket", access.TICKET_SECONDS)))


def visitor() -> str | None:
    """Who is logged in; None without a login."""
    if not access.login_configured() or not st.user.is_logged_in:
        return None
    return str(st.user.get("email") or st.user.get("sub") or "") or None


def sign_out() -> None:
    """A way out for who came in by the login."""
    if name := visitor():
        st.html(f'<div class="pb-quiet">Signed in as {escape(name)}</div>')
        st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=st.logout, key="sign_out")


def _ask_login() -> None:
    """OIDC. Streamlit keeps its own cookie and does not look at `exp`: an expired identity has to come again."""
    browser.keep_deep_link()
    text = "Your session has ended." if st.user.is_logged_in else "This workbench is for members."
    with _card("Sign in", text):
        label = "Continue with your account"
        st.button(label, type="primary", icon=":material/login:", on_click=st.login, width="stretch", key="login")


def _expired() -> bool:
    expires = st.user.get("exp")
    return expires is not None and float(str(expires)) <= time.time()


def _session_cookie(bench: Workbench) -> bool:
    """Whether this browser traded a ticket before."""
    cookie = st.context.cookies.get(access.COOKIE, "")
    return bool(cookie) and access.honoured(bench.vault, "session", cookie)


def _ask_token(bench: Workbench) -> None:
    with _card("Sign in", "This workbench is locked with its API token."), st.form("token_form", border=False):
        given = st.text_input(
            "API token", type="password", key="token", help="The value of POSTBENCH_API_TOKEN", autocomplete="current-password"
        )
        pressed = st.form_submit_button("Sign in", type="primary", icon=":material/lock_open:", width="stretch")
        if pressed and access.token_matches(bench.settings, given or ""):
            st.session_state[_IN] = True
            st.rerun()
        elif pressed:
            st.html(markup.notice("red", "This is not the token.", "It is the value of POSTBENCH_API_TOKEN on the server."))


def _card(title: str, text: str) -> st.delta_generator.DeltaGenerator:
    with st.container(horizontal_alignment="center"):
        box = st.container(border=True, width=400, key="gate")
    box.html(markup.heading(title, text))
    return box
