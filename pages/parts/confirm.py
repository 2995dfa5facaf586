"""Asking before something that cannot be undone: in the page itself, so that a refresh of living parts cannot close it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts import markup

_KEY = "asked"


def ask(name: str) -> None:
    """Ask for this; what was asked before is dropped."""
    st.session_state[_KEY] = name


def confirm(name: str, title: str, text: str, label: str, work: Callable[[], None]) -> None:
    """The question, while it is asked: what would happen, and two buttons."""
    if st.session_state.get(_KEY) != name:
        return
    with st.container(border=True, key=f"confirm_{name}"):
        st.html(f"<b>{markup.ticked(title)}</b> <span class='pb-quiet'>{markup.ticked(text)}</span>")
        with st.container(horizontal=True, gap="small"):
            st.button(label, type="primary", on_click=_yes, args=(work,), key=f"{name}_yes")
            st.button("No, leave it", on_click=_drop, key=f"{name}_no")


def _yes(work: Callable[[], None]) -> None:
    _drop()
    work()
    st.rerun("app")


def _drop() -> None:
    st.session_state.pop(_KEY, None)
