"""Older and newer pages of a list that is read by keyset; the cursor is part of the address."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.parts import words

_FROM = "from"


@dataclass(frozen=True)
class Pager:
    """The pages of one list: `name` keeps its way back apart from that of others, `size` is rows per page."""

    name: str
    noun: str
    many: str
    size: int
    labels: tuple[str, str, str] = ("Newest", "Newer", "Older")
    """Of the buttons to the beginning, back and on."""

    @property
    def here(self) -> str | None:
        """The cursor of the page that the address names; None for the first."""
        return st.query_params.get(_FROM)

    def restart(self) -> None:
        """Begin on the first page, as a changed filter does."""
        st.session_state[self._trail] = []
        st.query_params.pop(_FROM, None)

    def turn(self, shown: int, cursor: str | None, total: int) -> None:
        """The buttons, and where one is; `cursor` is that of the next page."""
        trail: list[str | None] = st.session_state.setdefault(self._trail, [])
        beginning, back, on = self.labels
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            first = not self.here
            st.button(
                beginning, icon=":material/first_page:", type="tertiary", disabled=first, on_click=self.restart, key="newest"
            )
            st.button(back, icon=":material/chevron_left:", disabled=first, on_click=self._back, key="newer")
            st.button(
                on,
                icon=":material/chevron_right:",
                icon_position="right",
                disabled=cursor is None,
                on_click=self._forth,
                args=(cursor,),
                key="older",
            )
            start = len(trail) * self.size + 1
            place = f"{start:,} to {start + shown - 1:,} of " if trail or first else ""
            st.html(f'<span class="pb-quiet">{place}{words.plural(total, self.noun, self.many)}</span>', width="content")

    @property
    def _trail(self) -> str:
        """Session key: the cursors of the pages before this one, so that one can go back."""
        return f"{self.name}_trail"

    def _forth(self, cursor: str) -> None:
        st.session_state.setdefault(self._trail, []).append(self.here)
        st.query_params[_FROM] = cursor

    def _back(self) -> None:
        trail = st.session_state.get(self._trail) or [None]
        cursor = trail.pop()
        if cursor:
            st.query_params[_FROM] = cursor
        else:
            self.restart()
