"""What a list looks like: kind and size, what its address column holds, its first rows."""

from __future__ import annotations

from html import escape

import pyarrow as pa
import streamlit as st

from engine.uploads import Upload
from pages.parts import markup, words
from pages.parts.reading import Counts

SHOWN_ROWS = 5
SHOWN_COLUMNS = 8
SHOWN_CHARS = 48


def what(upload: Upload) -> str:
    """Kind, columns, and what was remarked while reading."""
    said = f"{upload.kind} · {words.plural(upload.table.num_columns, 'column')}"
    return ". ".join([said, *upload.notes])


def numbers(what: str, rows: int, counts: Counts | None) -> None:
    """What was read; rows, different addresses, repeats and empty cells; a warning where there is nothing to verify."""
    said = {"rows": words.number(rows)} | (_counted(counts) if counts else {})
    warning = counts is not None and not counts.plausible
    st.html(f'<div class="pb-read"><span class="pb-quiet">{markup.ticked(words.sentence(what))}</span>{markup.facts(said)}</div>')
    if warning:
        st.html(markup.notice("amber", "Nothing in this column looks like an address.", "Choose another column."))


def _counted(counts: Counts) -> dict[str, str]:
    said = {
        "different addresses": counts.distinct,
        "repeated": counts.plausible - counts.distinct,
        "empty cells": counts.empty,
        "not an address": counts.rows - counts.empty - counts.plausible,
    }
    return {name: words.number(value) for name, value in said.items() if value or name == "different addresses"}


def preview(head: pa.Table, column: str | None) -> None:
    """The first rows, the address column in front."""
    names = sorted(head.column_names, key=lambda name: name != column)
    shown, left = names[:SHOWN_COLUMNS], len(names) - SHOWN_COLUMNS
    rows = [[_cell(row[name], name == column) for name in shown] for row in head.select(shown).to_pylist()]
    more = f", without {words.plural(left, 'further column')}" if left > 0 else ""
    st.html(f'<div class="pb-quiet pb-above">The first rows{more}</div>' + markup.sheet(rows, shown))


def _cell(value: object, address: bool) -> str:
    text = "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
    text = escape(text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…")
    return f'<span class="pb-mono">{text}</span>' if address else text
