"""Attachments of a form: taken from the browser once, kept for the session, listed with their sizes."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from engine.durable.files import StoredFile
from pages.parts import words
from pages.parts.form import Slots

MAX_MB = 10
"""Of all attachments together."""
_KEPT, _COUNT = "send_attachments", "send_attachments_taken"


@dataclass(frozen=True, slots=True)
class _File:
    """A file as a caller of the API would write it, and its size in bytes."""

    name: str
    content_type: str
    data: str
    size: int

    @property
    def raw(self) -> dict[str, Any]:
        return {"name": self.name, "contentType": self.content_type, "data": self.data}


def keep(files: Iterable[StoredFile]) -> None:
    """Have these attached instead of what is."""
    st.session_state[_KEPT] = [_encoded(file.name, file.content_type, file.payload) for file in files]


def draw(slots: Slots) -> dict[str, Any]:
    """The field, and the files with a button each; as parameters."""
    taken = st.session_state.setdefault(_COUNT, 0)
    key = f"send_upload_{taken}"  # another key empties the field: what was taken is listed below, with its size
    st.file_uploader("Attachments", accept_multiple_files=True, max_upload_size=MAX_MB, on_change=_take, args=(key,), key=key)
    files = _kept()
    slots.under("attachments", f"{_said(files)} The limit is for all files together".strip())
    for place, file in enumerate(files):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"attached_{place}"):
            st.html(
                f'<span class="pb-file">{escape(file.name)} <span class="pb-quiet">{words.size(file.size)}</span></span>',
                width="content",
            )
            st.button(
                "Remove",
                icon=":material/close:",
                type="tertiary",
                help=f"Remove {file.name}",
                on_click=_remove,
                args=(place,),
                key=f"send_remove_{place}",
            )
    return {"attachments": [file.raw for file in files]} if files else {}


def size() -> int:
    """Bytes that the attachments take in a message: base64 is a third longer, and has line ends."""
    return sum(round(file.size * 4 / 3 * 78 / 76) for file in _kept())


def sizes() -> list[tuple[str, int]]:
    """The names of the attachments with their own sizes."""
    return [(file.name, file.size) for file in _kept()]


def _kept() -> list[_File]:
    kept: list[_File] = st.session_state.setdefault(_KEPT, [])
    return kept


def _said(files: Sequence[_File]) -> str:
    return f"{words.plural(len(files), 'file')}, {words.size(sum(file.size for file in files))}." if files else ""


def _take(key: str) -> None:
    given = st.session_state.get(key) or []
    _kept().extend(_encoded(file.name, file.type or "", file.getvalue()) for file in given)
    st.session_state[_COUNT] += 1


def _encoded(name: str, content_type: str, data: bytes) -> _File:
    return _File(name, content_type, base64.b64encode(data).decode(), len(data))


def _remove(place: int) -> None:
    del _kept()[place]
