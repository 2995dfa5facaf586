"""Jobs as a table: status pills, progress, a button that opens the job."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

import pandas as pd
import streamlit as st

from engine.durable.states import Status
from engine.durable.tables import Job
from engine.workbench import workbench
from pages.parts import catalog, figures, words
from pages.parts.columns import status_column
from pages.parts.form import brief
from pages.parts.rows import ROW_HEIGHT
from pages.parts.situation import phase

_STATES = [*Status, "waiting"]
_UNTOLD = frozenset({"seed", "column", "columns"})
"""Parameters that tell nothing of what a job is about."""
OPEN = ":material/open_in_new: Open"


def jobs_table(jobs: Sequence[Job], key: str, *, select: bool = False) -> list[int]:
    """Show the jobs, newest first as given; returns the rows that are selected. A click on `Open` goes to the job."""
    shown = st.dataframe(
        _frame(jobs),
        key=f"{key}_table",
        hide_index=True,
        row_height=ROW_HEIGHT,
        height="content",
        column_config=_columns(key),
        on_select="rerun" if select else "ignore",
        selection_mode="multi-row",
        placeholder="",
        alt="Jobs",
    )
    clicked = st.session_state.get(f"{key}_open")
    if clicked and clicked["row"] < len(jobs):
        job = jobs[clicked["row"]]
        catalog.open_job(job.type, job.id)
    return list(shown.selection.rows) if select else []  # type: ignore[union-attr]


def _frame(jobs: Sequence[Job]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "open": [OPEN for _ in jobs],
            "status": [[phase(job)] for job in jobs],
            "type": [catalog.title(job.type) for job in jobs],
            "parameters": [_what(job) for job in jobs],
            "progress": [job.progress for job in jobs],
            "rows": [figures.kept_rows(job) for job in jobs],
            "created": pd.to_datetime([job.created_at for job in jobs], unit="ms", utc=True),
            "took": [_took(job) for job in jobs],
        }
    )


def _what(job: Job) -> str:
    """The length of its own list, the parameters that are not as usual, and the job whose rows it read."""
    usual, titles = _usual(job.type), _titles(job.type)
    changed = {name: value for name, value in job.params.items() if name not in _UNTOLD and value != usual.get(name)}
    told = [f"{titles[name]} {value}" if name in titles else value for name, value in brief(changed).items()]
    found = workbench().types.get(job.type)
    if job.source_job_id:
        told.append(f"rows of {job.source_job_id[:8]}")
    elif found and found.source == "required":
        told.insert(0, words.plural(job.total_items, "row"))
    return " · ".join(told)


@cache
def _usual(type_name: str) -> dict[str, Any]:
    """The default values of a type's parameters, by wire name."""
    found = workbench().types.get(type_name)
    fields = found.params.model_fields if found else {}
    return {info.alias or name: info.default for name, info in fields.items() if isinstance(info.default, str | int)}


@cache
def _titles(type_name: str) -> dict[str, str]:
    """What a type's numbers are called, by wire name: without a word they tell nothing, except how many are wanted."""
    found = workbench().types.get(type_name)
    fields = found.params.model_fields if found else {}
    numbers = {name: info for name, info in fields.items() if name != "count" and _is_number(info.annotation)}
    return {info.alias or name: (info.title or name).lower() for name, info in numbers.items()}


def _is_number(kind: Any) -> bool:
    return any(each in (int, float, bool) for each in (kind, *get_args(kind)))


def _took(job: Job) -> str:
    return words.duration((job.completed_at - job.started_at) / 1000) if job.completed_at and job.started_at else ""


def _columns(key: str) -> dict[str, Any]:
    c = st.column_config
    return {
        "status": status_column(_STATES, label="status"),
        "type": c.TextColumn("type", width=140),
        "parameters": c.TextColumn("parameters", width=300),
        "progress": c.ProgressColumn("progress", min_value=0, max_value=100, format="%.4g%%", width=130),
        "rows": c.NumberColumn("rows", format="localized", width=80),
        "created": c.DatetimeColumn("created", format="D MMM, HH:mm:ss", timezone=st.context.timezone, width=120),
        "took": c.TextColumn("took", width=90),
        "open": c.ButtonColumn("", type="tertiary", key=f"{key}_open", width=84, pinned=True),
    }
