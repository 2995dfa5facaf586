"""Adding to the list of suppressed addresses: one, several pasted, or a file; what is new, known, or no address is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import streamlit as st

from engine import uploads
from engine.durable import suppressions
from engine.durable.suppressions import MAX_REASON, NewSuppression
from engine.durable.suppressions import SuppressionSource as Source
from engine.mail.keys import Sorted, sorted_out
from engine.workbench import workbench
from pages.parts import glance, markup, reading, say, specimen, words
from pages.parts.reading import Read
from pages.parts.topics import ADDRESSES

WAYS = {"paste": "Type or paste", "upload": "Upload a file"}
REASON_COLUMN = "reason"
"""A column of an uploaded list that says why, row by row; one that was downloaded here has it."""
_OPEN, _WAY, _TEXT, _FILE, _COLUMN, _REASON = (f"add_{part}" for part in ("open", "way", "text", "file", "column", "reason"))
_READ, _SORTED = "add_read", "add_sorted"
_SHOWN_FLAWS = 3


@dataclass(frozen=True)
class _Given:
    """What was given: the addresses told apart, why each of them where the list says so, and by what way they came."""

    mark: tuple[str, str]
    addresses: Sorted
    cells: int
    empty: int
    reasons: Mapping[str, str]
    source: Source
    flawed: tuple[str, ...]


def opener() -> None:
    """The button that opens the panel."""
    st.button("Add addresses", icon=":material/add:", type="primary", on_click=open_panel, key="add")


def open_panel() -> None:
    """Show the panel at the next run."""
    st.session_state[_OPEN] = True


def panel() -> None:
    """The panel, while it is open."""
    if not st.session_state.get(_OPEN):
        return
    with st.container(border=True, key="add_panel"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html('<h3 class="pb-h2">Add addresses</h3>', width="content")
            way = st.segmented_control("How", list(WAYS), format_func=WAYS.__getitem__, required=True, default="paste",
                                       label_visibility="collapsed", key=_WAY)  # fmt: skip
            st.space("stretch")
            st.button("Close", icon=":material/close:", type="tertiary", on_click=_close, key="add_close")
        given = _paste() if way != "upload" else _upload()
        st.text_input("Why", max_chars=MAX_REASON, placeholder="Asked by phone, came from the old system …", key=_REASON)
        st.html('<span class="pb-hint">Shown with each of them; one that is on the list already keeps its first reason</span>')
        _go(given)


def _paste() -> _Given | None:
    text = st.text_area(
        "Addresses", height=110, max_chars=2_000_000, placeholder=ADDRESSES.example, label_visibility="collapsed", key=_TEXT
    )
    if not (text or "").strip():
        return None
    return _read(reading.of_text(_READ, text or "", ADDRESSES), Source.MANUAL)


def _upload() -> _Given | None:
    file = st.file_uploader(
        "CSV, Excel, Parquet or text file", max_upload_size=uploads.MAX_BYTES >> 20, label_visibility="collapsed", key=_FILE
    )
    if file is None:
        return None
    return _read(reading.of_file(_READ, file.file_id, file.name, file, ADDRESSES), Source.IMPORT)


def _read(read: Read, source: Source) -> _Given | None:
    if read.upload is None:
        st.html(markup.notice("red", "This list cannot be read.", read.problem))
        return None
    upload, likely = read.upload, list(read.likely.get("column", ()))
    names = upload.table.column_names
    column: str | None = likely[0] if likely else None
    if len(names) > 1:
        options = [*likely, *(name for name in names if name not in likely)]
        if st.session_state.get(_COLUMN) not in options:
            st.session_state[_COLUMN] = column
        column = st.selectbox("Address column", options, index=None, placeholder="Choose a column", width=260, key=_COLUMN)
    elif column is None:
        column = names[0]
    if column is None:
        st.html(markup.notice("amber", "Which column has the addresses?", uploads.no_column(upload)))
        return None
    given = _sorted(read.mark, upload.table, column, source)
    _said(given, specimen.what(upload))
    return given


def _sorted(mark: str, table: pa.Table, column: str, source: Source) -> _Given:
    """The addresses of the column; made once, as a long list takes seconds."""
    kept = st.session_state.get(_SORTED)
    if isinstance(kept, _Given) and kept.mark == (mark, column):
        return kept
    with st.spinner("Looking at the addresses …"):
        cells = glance.as_text(table.column(column)).to_pylist()
        found = sorted_out(cells)
    filled = [place for place in found.flaws if cells[place]]
    flawed = tuple(str(cells[place])[:40] for place in filled[:_SHOWN_FLAWS])
    empty = len(found.flaws) - len(filled)
    given = _Given((mark, column), found, len(cells), empty, _reasons(table, column, cells), source, flawed)
    st.session_state[_SORTED] = given
    return given


def _reasons(table: pa.Table, column: str, cells: list[str | None]) -> dict[str, str]:
    """Why each address is on the list, where the list itself says so; the first of several counts."""
    if REASON_COLUMN not in table.column_names or column == REASON_COLUMN:
        return {}
    told = glance.as_text(table.column(REASON_COLUMN)).to_pylist()
    reasons: dict[str, str] = {}
    for cell, reason in zip(cells, told, strict=True):
        if reason and (known := sorted_out([cell]).known):
            reasons.setdefault(next(iter(known)), reason)
    return reasons


def _said(given: _Given, what: str) -> None:
    distinct = len(given.addresses.known)
    bad = len(given.addresses.flaws) - given.empty
    said = {
        "different addresses": distinct,
        "repeated": given.cells - len(given.addresses.flaws) - distinct,
        "with a reason of their own": len(given.reasons),
        "empty cells": given.empty,
        "not an address": bad,
    }
    chips = {name: words.number(value) for place, (name, value) in enumerate(said.items()) if value or not place}
    st.html(
        f'<div class="pb-read"><span class="pb-quiet">{markup.ticked(words.sentence(what))}</span>{markup.facts(chips)}</div>'
    )
    if given.flawed:
        some = ", ".join(f"`{text.replace('`', chr(39))}`" for text in given.flawed)
        more = f" and {bad - len(given.flawed):,} more" if bad > len(given.flawed) else ""
        st.html(markup.notice("amber", "Left out:", f"{some}{more}"))


def _go(given: _Given | None) -> None:
    count = len(given.addresses.known) if given else 0
    label = f"Add {words.plural(count, 'address', 'addresses')}" if count else "Add"
    st.button(label, type="primary", disabled=not count, on_click=_add, args=(given,), key="add_go")


def _add(given: _Given) -> None:
    usual = (st.session_state.get(_REASON) or "").strip() or "added by hand"
    items = [
        NewSuppression(key, shown, given.reasons.get(key, usual), given.source) for key, shown in given.addresses.known.items()
    ]
    added = suppressions.add(workbench().database, items)
    bad = len(given.addresses.flaws) - given.empty
    parts = [f"{added:,} new", f"{len(items) - added:,} known already"] + ([f"{bad:,} no addresses"] if bad else [])
    say.later(", ".join(parts))
    _close()


def _close() -> None:
    for slot in (_OPEN, _TEXT, _FILE, _COLUMN, _REASON, _SORTED):
        st.session_state.pop(slot, None)
    reading.drop(_READ)
