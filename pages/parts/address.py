"""Choices that live in the page's address under a stable name, whatever their labels say."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st


def bound(key: str, options: Collection[str], then: Callable[[], None]) -> dict[str, Any]:
    """Arguments of a widget whose value is the address's parameter `key`; `then` runs when the visitor changes it."""
    given = st.query_params.get(key)
    st.session_state[key] = given if given in options else None

    def write() -> None:
        chosen = st.session_state.get(key)
        if chosen:
            st.query_params[key] = chosen
        else:
            st.query_params.pop(key, None)
        then()

    return {"key": key, "on_change": write}
