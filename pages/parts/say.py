"""What an action has to say, kept over the rerun that follows it and then shown once."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.errors import PostbenchError

_KEY = "said"


def later(text: str, icon: str = ":material/check_circle:") -> None:
    """Show this at the next run of the page."""
    st.session_state[_KEY] = (text, icon)


def flush() -> None:
    """Show what was left to say."""
    if said := st.session_state.pop(_KEY, None):
        st.toast(said[0], icon=said[1])


def attempt(work: Callable[[], object], done: str = "") -> bool:
    """Do something a user asked for; a refusal is said, not raised. True when it was done."""
    try:
        work()
    except PostbenchError as error:
        later(str(error), ":material/error:")
        return False
    if done:
        later(done)
    return True


def attempted(work: Callable[[], object]) -> None:
    """`attempt` as the callback of a button."""
    attempt(work)
