"""The result table of a job cell: one page of the committed rows, filtered, with pills for statuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from engine.durable.contract import JobType
from engine.durable.filters import Where
from engine.durable.results import Page
from engine.durable.tables import Job
from engine.errors import InvalidInput
from engine.workbench import workbench
from pages.parts import markup, words

PAGE_ROWS = 50
ROW_HEIGHT = 29
STATUS = "status"
_INK = {"green": "#1f9d72", "red": "#d9505e", "amber": "#d98a2b", "gray": "#8a93a8", "violet": "#8e6bd8", "blue": "#4f6bed"}


def table(job: Job, job_type: JobType) -> None:
    """Filter, rows, pages. Filter and page are part of the address."""
    schema = workbench().results.schema(job, job_type)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="rows_head"):
        title = st.empty()
        st.space("stretch")
        _quick(job)
        text = st.text_input(
            "Filter rows",
            key="where",
            bind="query-params",
            placeholder="email~smith and provider:gmail.com",
            icon=":material/filter_alt:",
            label_visibility="collapsed",
            width=300,
            help="`column:value` is equal, `column~text` contains; join several with ` and `. Columns: "
            + ", ".join(schema.names),
        )
    try:
        where = Where.parse(text)
        total = workbench().results.page(job.id, schema, limit=0, where=where).total
    except InvalidInput as error:
        st.html(markup.notice("red", "This filter cannot be used.", _sentence(error)))
        return
    title.html(f'<h3 class="pb-h2">Results <span class="pb-quiet">{_said(total, job, bool(text))}</span></h3>', width="content")
    _page(job, schema, where, total)


def _sentence(error: InvalidInput) -> str:
    return " ".join(
        f"It {problem.message}." if problem.message.startswith("must") else problem.message for problem in error.problems
    )


def _said(total: int, job: Job, filtered: bool) -> str:
    if filtered:
        return f"{words.plural(total, 'row')} fit the filter"
    return words.plural(total, "row") + ("" if job.ended else " so far")


def _quick(job: Job) -> None:
    """Statuses to filter by with one click, where the job counts them."""
    if not 1 < len(job.counts) <= 6:
        return
    options = sorted(job.counts, key=lambda status: -job.counts[status])
    st.pills(
        "Status",
        options,
        key="rows_status",
        on_change=_pick_status,
        format_func=lambda status: f"{status.replace('_', ' ')} {words.short(job.counts[status])}",
        label_visibility="collapsed",
    )


def _pick_status() -> None:
    picked = st.session_state.get("rows_status")
    st.session_state["where"] = f"{STATUS}:{picked}" if picked else ""
    st.session_state["page"] = 1


def _page(job: Job, schema: pa.Schema, where: Where, total: int) -> None:
    pages = max(1, -(-total // PAGE_ROWS))
    if not total:
        empty = (
            "No row fits the filter."
            if where.terms
            else ("No rows." if job.ended else "The first rows appear as soon as they are committed.")
        )
        st.html(f'<div class="pb-empty">{empty}</div>')
        return
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = pages
    slot = st.container()
    number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    found = workbench().results.page(job.id, schema, (number - 1) * PAGE_ROWS, PAGE_ROWS, where)
    with slot:
        _show(found, schema, "Rows of the result")


def _show(page: Page, schema: pa.Schema, alt: str) -> None:
    shown = page.table
    if STATUS in schema.names:
        shown = shown.set_column(schema.get_field_index(STATUS), STATUS, as_lists(shown.column(STATUS)))
    st.dataframe(
        _plain(shown),
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=(min(page.table.num_rows, 12) + 1) * ROW_HEIGHT + 12,
        column_config=_columns(shown, schema),
        placeholder="",
        alt=alt,
    )


def as_lists(column: pa.ChunkedArray) -> pa.Array:
    """A text column as lists of one, which is what the coloured labels of a table are made from."""
    return pa.array([[] if value is None else [value] for value in column.to_pylist()], pa.list_(pa.string()))


def _plain(table: pa.Table) -> pa.Table:
    """Dictionary columns as text: the table in the browser wants values."""
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(field.type.value_type))
    return table


def _columns(shown: pa.Table, schema: pa.Schema) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in schema:
        meaning = (field.metadata or {}).get(b"description", b"").decode() or None
        if field.name == STATUS:
            values = {value for cell in shown.column(STATUS).to_pylist() for value in cell}
            found[STATUS] = status_column(sorted(values), meaning)
        elif pa.types.is_integer(field.type):
            found[field.name] = st.column_config.NumberColumn(help=meaning, format="plain")
        elif pa.types.is_timestamp(field.type):
            found[field.name] = st.column_config.DatetimeColumn(help=meaning, timezone=st.context.timezone)
        else:
            found[field.name] = st.column_config.Column(help=meaning)
    return found


def status_column(statuses: Sequence[str], meaning: str | None = None, label: str = "status") -> Any:
    """The column configuration that shows one-element lists as pills in the colours of `markup.TONES`."""
    colours = [_INK[markup.tone(status)] for status in statuses]
    return st.column_config.MultiselectColumn(label, options=list(statuses), color=colours, help=meaning, width=96)  # type: ignore[arg-type]
