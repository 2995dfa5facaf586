"""Domains that go with a list of people: what they publish, whoever it is."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import streamlit as st

from engine import uploads
from pages.parts import glance, markup, words
from pages.parts.form import Given, Slots

LINE = "extraDomains"
"""The name of the line under the field."""
MAX_CHARS = 200_000
_HINT = "Each gives its public addresses; one per line, or separated by commas or spaces"


def domains(key: str, slots: Slots, given: Given) -> Given:
    """A field for domains; the list with a row for each of them, after those of people."""
    text = st.text_area(
        "Domains without a name",
        height=90,
        max_chars=MAX_CHARS,
        placeholder="example.com\nexample.org",
        persist_state="session",
        key=key,
    )
    slots.under(LINE, _HINT)
    if not (text or "").strip():
        return given
    column = glance.as_text(uploads.MATTERS["domains"].pieces(text or "").column(0))
    _told(column)
    return given if given.problems else joined(given, column)


def _told(column: pa.ChunkedArray) -> None:
    """How many there are."""
    counts = glance.domains(column)
    said = {"different domains": counts.distinct, "not a domain": counts.rows - counts.empty - counts.plausible}
    st.html(markup.facts({name: words.number(value) for name, value in said.items() if value}))


def joined(given: Given, column: pa.ChunkedArray) -> Given:
    """The list with these domains as further rows, in its column of domains."""
    if given.rows is None:
        return replace(given, rows=pa.table({"domain": column}), params={"columns": {"domain": "domain"}})
    name = given.params["columns"]["domain"]
    place = given.rows.schema.get_field_index(name)
    rows = given.rows.set_column(place, name, glance.as_text(given.rows.column(name)))
    return replace(given, rows=pa.concat_tables([rows, pa.table({name: column})], promote_options="default"))
