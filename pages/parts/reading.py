"""Lists that a visitor gave: read once, kept for the session, and counted by column."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from engine import uploads
from engine.errors import InvalidInput
from engine.uploads import Upload
from pages.parts import words

PLAUSIBLE = r"[^@\s]@[^@\s]+\.[^@\s.]"
"""What a cell must look like to be counted as an address: a glance, not the check that a job makes."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a column holds: cells, empty ones, ones that look like an address, and how many different of those."""

    rows: int
    empty: int
    plausible: int
    distinct: int


@dataclass
class Read:
    """A list, or why it was refused; `mark` tells which file or text it came from."""

    mark: str
    name: str
    upload: Upload | None = None
    problem: str = ""
    counts: dict[str, Counts] = field(default_factory=dict)

    def counted(self, column: str) -> Counts:
        """The counts of a column; made once."""
        if column not in self.counts and self.upload is not None:
            self.counts[column] = count(self.upload.table.column(column))
        return self.counts[column]


def of_file(slot: str, mark: str, name: str, data: BinaryIO) -> Read:
    """An uploaded file; one is kept for each slot of a session, and read only once."""
    return _kept(slot, mark, name, lambda: uploads.read_file(name, data))


def of_text(slot: str, text: str) -> Read:
    """Pasted text, likewise."""
    mark = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return _kept(slot, mark, "pasted text", lambda: uploads.read_text(text))


def _kept(slot: str, mark: str, name: str, read: Callable[[], Upload]) -> Read:
    known = kept(slot)
    if known is not None and known.mark == mark:
        return known
    drop(slot)  # the old list goes before the new one comes
    with st.spinner("Reading the list …"):
        try:
            found = Read(mark, name, read())
        except InvalidInput as error:
            found = Read(mark, name, problem=" ".join(words.sentence(problem.message) for problem in error.problems))
    keep(slot, found)
    return found


def kept(slot: str) -> Read | None:
    """What this session keeps there."""
    found = st.session_state.get(slot)
    return found if isinstance(found, Read) else None


def keep(slot: str, read: Read) -> None:
    """Keep it there instead of what was."""
    st.session_state[slot] = read


def drop(slot: str) -> None:
    """Let go of what is kept there."""
    st.session_state.pop(slot, None)


def count(column: pa.ChunkedArray) -> Counts:
    """Look at every cell; a million take about a second."""
    text = as_text(column)
    filled = text.filter(pc.fill_null(pc.greater(pc.binary_length(text), 0), False))
    found = filled.filter(pc.match_substring_regex(filled, PLAUSIBLE))
    return Counts(len(text), len(text) - len(filled), len(found), pc.count_distinct(pc.utf8_lower(found)).as_py())


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as trimmed text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if pa.types.is_nested(kind) or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        plain = [None if value is None else str(value) for value in column.to_pylist()]
        column = pa.chunked_array([pa.array(plain, pa.string())])
    return pc.utf8_trim_whitespace(column.cast(pa.string()))
