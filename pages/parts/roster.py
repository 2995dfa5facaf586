"""People typed into a table: a row each, as many as wanted."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import streamlit as st

COLUMNS = {"first_name": "First name", "last_name": "Last name", "domain": "Domain"}
EMPTY_ROWS = 5
HEIGHT = 232


def roster(slot: str) -> pa.Table | None:
    """The table; its rows with something in them, None without any. What was typed is kept in the session under `slot`."""
    key = f"{slot}_editor"
    base = f"{slot}_base"
    if key not in st.session_state or base not in st.session_state:  # a table's edits go when it is not drawn
        st.session_state[base] = _frame(st.session_state.get(slot))
    edited = st.data_editor(
        st.session_state[base],
        num_rows="dynamic",
        hide_index=True,
        height=HEIGHT,
        column_config={name: st.column_config.TextColumn(label, max_chars=500) for name, label in COLUMNS.items()},
        key=key,
    )
    rows = filled(edited)
    st.session_state[slot] = rows
    return rows if rows.num_rows else None


def filled(edited: pd.DataFrame) -> pa.Table:
    """The rows of a frame in which anything was typed, as trimmed text; an empty cell is null."""
    rows = [{name: _text(row[name]) for name in COLUMNS} for row in edited.to_dict("records")]
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    return pa.Table.from_pylist([row for row in rows if any(row.values())], schema)


def _text(cell: object) -> str | None:
    """A cell that was never touched may be None or not a number."""
    return cell.strip() or None if isinstance(cell, str) else None


def _frame(kept: pa.Table | None) -> pd.DataFrame:
    """What was typed before, or some empty rows to begin with."""
    rows = kept.to_pylist() if kept is not None else []
    blank = dict.fromkeys(COLUMNS, "")
    return pd.DataFrame([*rows, *([blank] * max(0, EMPTY_ROWS - len(rows)))], columns=list(COLUMNS), dtype="object").fillna("")
