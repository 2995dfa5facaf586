"""What a list looks like: kind and size, what its chosen columns hold, its first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

import pyarrow as pa
import streamlit as st

from engine.uploads import Upload
from pages.parts import markup, words
from pages.parts.glance import Counts
from pages.parts.topics import Topic

SHOWN_ROWS = 5
SHOWN_COLUMNS = 8
SHOWN_CHARS = 48


def what(upload: Upload) -> str:
    """Kind, columns, and what was remarked while reading."""
    said = f"{upload.kind} · {words.plural(upload.table.num_columns, 'column')}"
    return ". ".join([said, *upload.notes])


def numbers(what: str, rows: int, topic: Topic, counts: Counts | None) -> None:
    """What was read, rows and counts; a warning where there is nothing to work on."""
    said = {"rows": words.number(rows)} | (_counted(topic.said(counts)) if counts else {})
    warning = counts is not None and not counts.plausible
    st.html(f'<div class="pb-read"><span class="pb-quiet">{markup.ticked(words.sentence(what))}</span>{markup.facts(said)}</div>')
    if warning:
        st.html(markup.notice("amber", topic.nothing, "Choose another column."))


def _counted(said: Mapping[str, int]) -> dict[str, str]:
    return {name: words.number(value) for place, (name, value) in enumerate(said.items()) if value or not place}


def preview(head: pa.Table, chosen: Sequence[str]) -> None:
    """The first rows, the chosen columns in front."""
    names = [*chosen, *(name for name in head.column_names if name not in chosen)]
    shown, left = names[:SHOWN_COLUMNS], len(names) - SHOWN_COLUMNS
    rows = [[_cell(row[name], name in chosen) for name in shown] for row in head.select(shown).to_pylist()]
    more = f", without {words.plural(left, 'further column')}" if left > 0 else ""
    st.html(f'<div class="pb-quiet pb-above">The first rows{more}</div>' + markup.sheet(rows, shown))


def _cell(value: object, chosen: bool) -> str:
    text = _text(value)
    text = escape(text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…")
    return f'<span class="pb-mono">{text}</span>' if chosen else text


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)
