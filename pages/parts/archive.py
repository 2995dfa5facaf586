"""The page `/jobs`: filter, page, open, and act on many jobs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from engine.durable import queries
from engine.durable.queries import Filter
from engine.durable.states import Status
from engine.durable.tables import Job
from engine.errors import InvalidInput
from engine.workbench import workbench
from pages.parts import address, catalog, markup, words
from pages.parts.bulk import bulk, cleanup
from pages.parts.joblist import jobs_table
from pages.parts.pager import Pager

PAGE_JOBS = 25
_PAGER = Pager("jobs", "job", "jobs", PAGE_JOBS)
LIVE_SECONDS = 3.0
SEARCH_SECONDS = 15.0
"""A text search looks at every job."""


def archive() -> None:
    """Everything on the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(markup.heading("Jobs", "Every job of this installation, newest first."), width="content")
        st.space("stretch")
        cleanup()
    wanted = _filters()
    tick = SEARCH_SECONDS if wanted.q else LIVE_SECONDS
    st.fragment(_list, run_every=None if _selected() else tick)(wanted)


def _filters() -> Filter:
    """Type, text and status, all in the address."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        text = _text()
        kind = _type()
        base = Filter(type=kind, q=text)
        return replace(base, status=_status(base))


def _text() -> str | None:
    text = st.text_input(
        "Search",
        key="q",
        bind="query-params",
        on_change=_PAGER.restart,
        placeholder="Search id, type, parameters",
        icon=":material/search:",
        label_visibility="collapsed",
        width=300,
    )
    return (text or "").strip() or None


def _type() -> str | None:
    types = list(workbench().types)
    chosen: str | None = st.selectbox(
        "Type",
        types,
        index=None,
        placeholder="Any type",
        format_func=catalog.title,
        label_visibility="collapsed",
        width=220,
        **address.bound("type", types, _PAGER.restart),
    )
    return chosen


def _status(base: Filter) -> str | None:
    """With how many there are of each, under the other filters."""
    counts = queries.stats(workbench().database, base)
    states = [str(status) for status in Status]
    chosen: str | None = st.pills(
        "Status",
        states,
        format_func=lambda name: f"{name} {words.short(counts[name])}",
        label_visibility="collapsed",
        **address.bound("status", states, _PAGER.restart),
    )
    return chosen


def _list(wanted: Filter) -> None:
    database = workbench().database
    counts = queries.stats(database, wanted)
    matching = counts[wanted.status] if wanted.status else counts["total"]
    try:
        page = queries.listed(database, wanted, PAGE_JOBS, _PAGER.here)
    except InvalidInput:  # a link whose cursor was cut short: begin at the newest
        _PAGER.restart()
        page = queries.listed(database, wanted, PAGE_JOBS)
    if not page.jobs:
        _nothing(wanted)
        return
    chosen = _picked(page.jobs)
    bulk(chosen, wanted, matching)
    jobs_table(page.jobs, "jobs", select=True)
    _PAGER.turn(len(page.jobs), page.cursor, matching)


def _selected() -> bool:
    table = st.session_state.get("jobs_table")
    return bool(table and table["selection"]["rows"])


def _picked(jobs: Sequence[Job]) -> list[Job]:
    rows = st.session_state.get("jobs_table")
    return [jobs[row] for row in rows["selection"]["rows"] if row < len(jobs)] if rows else []


def _nothing(wanted: Filter) -> None:
    filtered = wanted != Filter()
    title = "No job fits" if filtered else "No jobs yet"
    text = "Change or clear the filters above." if filtered else "The first one is a form away."
    with st.container(border=True, key="empty"):
        st.html(f'<div class="pb-empty"><b>{title}</b><span>{text}</span></div>')
        with st.container(horizontal=True, horizontal_alignment="center"):
            if filtered:
                st.button("Clear the filters", on_click=_clear, key="clear")
            for job_type in [] if filtered else catalog.easiest(workbench())[:1]:
                st.page_link(catalog.script(job_type.name), label=job_type.title, icon=catalog.icon(job_type), width="content")


def _clear() -> None:
    _PAGER.restart()
    st.session_state["q"] = ""
    st.query_params.clear()
    st.rerun("app")
