"""Asking before something that cannot be undone: in the page itself, so that a refresh of living parts cannot close it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts import markup

_KEY = "asked"


def ask(name: str, about: str = "") -> None:
    """Ask for this; what was asked before is dropped. `about` is the id of the thing that is meant, where it has one."""
    st.session_state[_KEY] = _asked(name, about)


def confirm(name: str, title: str, text: str, label: str, work: Callable[[], None], about: str = "") -> None:
    """The question, while it is asked about that very thing: what would happen, and two buttons."""
    if st.session_state.get(_KEY) != _asked(name, about):
        return
    with st.container(border=True, key=f"confirm_{name}"):
        st.html(f"<b>{markup.ticked(title)}</b> <span class='pb-quiet'>{markup.ticked(text)}</span>")
        with st.container(horizontal=True, gap="small"):
            st.button(label, type="primary", on_click=_yes, args=(work,), key=f"{name}_yes")
            st.button("No, leave it", on_click=_drop, key=f"{name}_no")


def _asked(name: str, about: str) -> str:
    return f"{name} {about}".strip()


def _yes(work: Callable[[], None]) -> None:
    _drop()
    work()
    st.rerun("app")


def _drop() -> None:
    st.session_state.pop(_KEY, None)
