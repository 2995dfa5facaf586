"""How often living parts are refreshed: every second, until so many pages are open that they have to share."""

from __future__ import annotations

import secrets
import threading
import time

import streamlit as st

UNHURRIED = 5
"""Up to so many live pages, each refreshes as often as it likes; beyond, all slow down alike, so that the cost stays flat."""
FORGET_SECONDS = 30.0
MAX_FACTOR = 10.0


class Crowd:
    """The pages that were live a moment ago, in this process."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def factor(self, page: str, now: float) -> float:
        """Note that the page is live; how many times slower than at their best all pages refresh now, in halves."""
        with self._lock:
            self._seen[page] = now
            self._seen = {name: at for name, at in self._seen.items() if now - at < FORGET_SECONDS}
            share = len(self._seen) / UNHURRIED
        return min(MAX_FACTOR, max(1.0, round(2 * share) / 2))


_crowd = Crowd()


def factor() -> float:
    """The factor for this session's page."""
    page = st.session_state.setdefault("crowd_page", secrets.token_hex(8))
    return _crowd.factor(page, time.monotonic())
