"""A row of a result in full: what the table cuts off can be read here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

import streamlit as st

from pages.parts import clock, columns, markup, words
from pages.parts.columns import STATUS, View

CHIP_CHARACTERS = 60
"""What is longer, or has several lines, stands on lines of its own."""


def record(values: Mapping[str, Any], view: View, number: int) -> None:
    """The cells of a row that hold something; `number` is its place among the rows shown, from 1."""
    with st.container(border=True, key="rows_record"):
        st.html(told(values, view, number))


def told(values: Mapping[str, Any], view: View, number: int) -> str:
    """The row as HTML: its status, short cells as chips, sentences and texts below each other, whole."""
    said = {name: _said(values[name]) for name in view.ordered(list(values)) if name != STATUS}
    texts = {name: text for name, text in said.items() if text and _is_text(name, text)}
    chips = {name: text for name, text in said.items() if text and name not in texts}
    status = markup.pill(values[STATUS]) if values.get(STATUS) else ""
    parts = [f'<div class="pb-title"><b>Row {number:,}</b>{status}</div>']
    if chips:
        parts.append(markup.facts(chips))
    if texts:
        rows = [[escape(name), f'<div class="pb-whole">{escape(text)}</div>'] for name, text in texts.items()]
        parts.append(f'<div class="pb-pairs pb-gap">{markup.sheet(rows, ["", ""])}</div>')
    return "".join(parts)


def _is_text(name: str, text: str) -> bool:
    return name in columns.SENTENCES or len(text) > CHIP_CHARACTERS or "\n" in text


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return words.moment(int(value.timestamp() * 1000), clock.zone())
    if isinstance(value, list):
        return "\n".join(map(_said, value))
    return str(value).strip()
