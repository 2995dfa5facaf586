"""How the columns of a result are shown: their order, pills for statuses, bars, links."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import streamlit as st

from pages.parts import markup

STATUS = "status"
_WEB = re.compile(r"https?://[^\s\"<>]+")
_URL_NAME = re.compile(r"(?:^|_)(?:url|link|website)$", re.IGNORECASE)
_SHOWN_URL = r"^https?://(?:www\.)?(.*?)/?$"
SENTENCES: Mapping[str, int] = {
    "found_as": 92,
    "why": 420,
    "sources": 320,
    "error": 260,
    "page_title": 150,
    "subject": 240,
    "body": 420,
    "note": 300,
}
"""Columns of words and sentences, with their widths in pixels: the browser would make them as narrow as their first rows are."""
EMPTY_WIDTH = 72
"""Pixels of such a column without a word in it."""
MOMENT = "D MMM YYYY, HH:mm:ss"


@dataclass(frozen=True, slots=True)
class Onward:
    """The usual next step with a result: a type that reads it, and which of its rows."""

    label: str
    icon: str
    type_name: str
    status: str


@dataclass(frozen=True, slots=True)
class View:
    """How a job type's result is shown: the columns that stand in front, where there is a status, and where to go from it.

    Rows of the statuses `bare` have no address; they are no input for what reads addresses.
    """

    front: Sequence[str] = ("email", STATUS, "reason", "score")
    onward: Onward | None = None
    bare: Sequence[str] = ()

    def ordered(self, names: Sequence[str]) -> list[str]:
        """The columns as they are shown; a result without verdicts keeps its order."""
        front = [name for name in self.front if name in names] if STATUS in names else []
        return [*front, *(name for name in names if name not in front)]


USUAL = View()
"""For results without an order of their own."""


def plain(table: pa.Table) -> pa.Table:
    """As the table in the browser wants it: values for dictionaries, and the status as a list of one, which makes it a pill."""
    for index, field in enumerate(table.schema):
        if field.name == STATUS:
            table = table.set_column(index, STATUS, as_lists(table.column(index)))
        elif pa.types.is_dictionary(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(field.type.value_type))
    return table


def as_lists(column: pa.ChunkedArray) -> pa.Array:
    """A text column as lists of one, which is what the coloured labels of a table are made from."""
    return pa.array([[] if value is None else [value] for value in column.to_pylist()], pa.list_(pa.string()))


def configured(shown: pa.Table, schema: pa.Schema) -> dict[str, Any]:
    """The configuration of each column of a `plain` table."""
    return {field.name: _column(field, shown.column(field.name)) for field in schema}


def _column(field: pa.Field, cells: pa.ChunkedArray) -> Any:
    config = st.column_config
    meaning = (field.metadata or {}).get(b"description", b"").decode() or None
    if field.name == STATUS:
        return status_column(sorted({value for cell in cells.to_pylist() for value in cell}), meaning)
    if field.name == "confidence" and pa.types.is_integer(field.type):
        return config.ProgressColumn(help=meaning, min_value=0, max_value=100, format="%d", width=130)
    if pa.types.is_integer(field.type):
        return config.NumberColumn(help=meaning, format="%d")
    if pa.types.is_timestamp(field.type):
        return config.DatetimeColumn(help=meaning, format=MOMENT, timezone=st.context.timezone, width=165)
    if _URL_NAME.search(field.name) and _leads_to_the_web(cells):
        return config.LinkColumn(help=meaning, display_text=_SHOWN_URL, width=220)
    width = SENTENCES.get(field.name)
    return config.Column(help=meaning, width=min(width, EMPTY_WIDTH) if width and cells.null_count == len(cells) else width)


def _leads_to_the_web(cells: pa.ChunkedArray) -> bool:
    """Whether all cells are links that are safe to click: a list from outside may hold anything under such a name."""
    return all(isinstance(cell, str) and _WEB.fullmatch(cell) for cell in cells.to_pylist() if cell is not None)


def status_column(statuses: Sequence[str], meaning: str | None = None, label: str = "status") -> Any:
    """The column configuration that shows one-element lists as pills in the colours of `markup.TONES`."""
    colours = [markup.INK[markup.tone(status)] + "2e" for status in statuses]
    return st.column_config.MultiselectColumn(
        label, options=list(statuses), color=colours, help=meaning, width=_pill(statuses), format_func=_in_words
    )


def _in_words(status: str) -> str:
    return status.replace("_", " ")


def _pill(statuses: Sequence[str]) -> int:
    """Pixels that the longest status needs."""
    return max(96, 40 + 7 * max(map(len, statuses), default=0))
