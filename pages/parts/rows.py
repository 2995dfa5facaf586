"""The result table of a job cell: one page of the committed rows, filtered, with pills for statuses."""

from __future__ import annotations

from urllib.parse import quote

import pyarrow as pa
import streamlit as st

from engine.durable.contract import JobType
from engine.durable.filters import Where
from engine.durable.results import Page
from engine.durable.tables import Job
from engine.errors import InvalidInput
from engine.workbench import workbench
from pages.parts import columns, markup, words
from pages.parts.columns import STATUS, View
from pages.parts.record import record

PAGE_ROWS = 50
SHOWN_ROWS = 12
"""Rows visible without scrolling in the table."""
_OF = "rows_of"
"""Session key: the job whose rows were shown last."""
ROW_HEIGHT = 29
HEAD_HEIGHT = 34


def table(job: Job, job_type: JobType, view: View) -> None:
    """Filter, rows, pages. Filter and page are part of the address."""
    _begin(job.id)
    schema = workbench().results.schema(job, job_type)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="rows_head"):
        title = st.empty()
        st.space("stretch")
        _quick(job)
        text = _filter(schema)
    try:
        where = Where.parse(text)
        total = workbench().results.page(job.id, schema, limit=0, where=where).total
    except InvalidInput as error:
        title.html('<h3 class="pb-h2">Results</h3>', width="content")
        st.html(markup.notice("red", "This filter cannot be used.", _sentence(error)))
        return
    title.html(f'<h3 class="pb-h2">Results<span class="pb-quiet">{_said(total, job, bool(text))}</span></h3>', width="content")
    if total:
        _paged(job, schema, where, total, text, view)
    else:
        st.html(f'<div class="pb-empty">{_no_rows(job, where)}</div>')


def _begin(job_id: str) -> None:
    """With the rows of another job than the last one: its filter and page are what the address says, not what was left over."""
    if st.session_state.get(_OF, job_id) != job_id:
        page = st.query_params.get("page", "")
        st.session_state["where"] = st.query_params.get("where", "")
        st.session_state["page"] = int(page) if page.isdecimal() and int(page) else 1
    st.session_state[_OF] = job_id


def _filter(schema: pa.Schema) -> str:
    """The filter as typed."""
    names = ", ".join(schema.names)
    example = "email" if "email" in schema.names else schema.names[0]
    text = st.text_input(
        "Filter rows",
        key="where",
        bind="query-params",
        placeholder=f"Filter, such as {example}~smith",
        icon=":material/filter_alt:",
        label_visibility="collapsed",
        width=240,
        help=f"`column:value` is equal, `column~text` contains; join several with ` and `. Columns: {names}",
    )
    return text or ""


def _sentence(error: InvalidInput) -> str:
    said = "; ".join(f"It {p.message}" if p.message.startswith("must") else p.message for p in error.problems)
    return words.sentence(said)


def _said(total: int, job: Job, filtered: bool) -> str:
    rows = words.plural(total, "row")
    said = f"{rows} fit the filter" if filtered else rows + ("" if job.ended else " so far")
    return f"{said}; choose one to read it" if total else said


def _no_rows(job: Job, where: Where) -> str:
    if where.terms:
        return "No row fits the filter."
    if job.goal and job.ended:
        return "No valid address was found."
    return "No rows." if job.ended else "The first rows appear as soon as they are committed."


def _quick(job: Job) -> None:
    """Statuses to filter by with one click, where the job counts them."""
    if job.goal or not 1 < len(job.counts) <= 6:  # with a goal only what was found has a row
        return
    options = sorted(job.counts, key=lambda status: -job.counts[status])
    filtered = st.session_state.get("where", "").strip().removeprefix(f"{STATUS}:")
    st.session_state["rows_status"] = filtered if filtered in options else None
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


def _paged(job: Job, schema: pa.Schema, where: Where, total: int, text: str, view: View) -> None:
    """One page of rows; which one stands below it."""
    pages = -(-total // PAGE_ROWS)
    if st.session_state.get("page", 1) > pages:
        st.session_state["page"] = pages
    slot = st.container()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="rows_foot"):
        number = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
        first = (number - 1) * PAGE_ROWS
        last = min(first + PAGE_ROWS, total)
        st.html(f'<span class="pb-quiet">{first + 1:,} to {last:,} of {total:,}</span>', width="content")
        if text:
            st.space("stretch")
            address = f"/api/jobs/{job.id}/results.csv?where={quote(text)}"
            st.link_button("These rows as CSV", address, icon=":material/download:", type="tertiary", key="download_filtered")
    found = workbench().results.page(job.id, schema, first, PAGE_ROWS, where)
    key = f"rows_{job.id}_{number}_{text}"  # with other rows in the table nothing is chosen
    with slot:
        _show(found, schema, view, key)
    place = _chosen(key)
    if place is not None and place < found.table.num_rows:
        record(found.table.select(schema.names).slice(place, 1).to_pylist()[0], view, first + place + 1)


def _chosen(key: str) -> int | None:
    """The place in the table of the row that is chosen."""
    rows = st.session_state[key]["selection"]["rows"] if key in st.session_state else []
    return rows[0] if rows else None


def _show(page: Page, schema: pa.Schema, view: View, key: str) -> None:
    shown = columns.plain(page.table)
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(page.table.num_rows, SHOWN_ROWS) * ROW_HEIGHT + HEAD_HEIGHT,
        column_order=view.ordered(schema.names),
        column_config=columns.configured(shown, schema),
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        alt="Rows of the result",
    )
