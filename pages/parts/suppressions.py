"""The page `/suppressions`: who gets no mail and why: search, page, add, remove, download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from engine.durable import suppressions
from engine.durable.sending_tables import Suppression
from engine.durable.suppressions import SuppressionPage, Wanted
from engine.durable.suppressions import SuppressionSource as Source
from engine.errors import InvalidInput
from engine.mail.keys import list_key, searched
from engine.workbench import workbench
from pages.parts import address, markup, suppressions_add, words
from pages.parts.downloads import table_downloads
from pages.parts.pager import Pager
from pages.parts.rows import HEAD_HEIGHT, ROW_HEIGHT, SHOWN_ROWS
from pages.parts.suppressions_entry import ENTRY, entry, known_of
from pages.parts.suppressions_remove import TABLE, removal
from pages.parts.suppressions_words import WAYS, way

PAGE_ROWS = 25
DAYS = 30
_PAGER = Pager("suppressions", "address", "addresses", PAGE_ROWS)
_ABOUT = "Nobody on this list gets mail from here, whatever job has them."


def suppressed() -> None:
    """Everything on the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(markup.heading("Suppressions", _ABOUT), width="content")
        st.space("stretch")
        tools = st.container(width="content", horizontal=True, gap="small")
    with tools:
        suppressions_add.opener()
    suppressions_add.panel()
    counts = suppressions.counts(workbench().database)
    if counts:
        _tiles(counts)
    wanted, filters = _filters()
    found = _page(wanted)
    with tools:
        table_downloads("suppressions", filters, enabled=bool(found.total))
    chosen = _list(found, bool(filters), wanted.q or "")
    if len(chosen) > 1:
        removal(chosen)
    elif named := st.query_params.get(ENTRY):
        entry(named)


def _list(found: SuppressionPage, filtered: bool, q: str) -> list[str]:
    """The table with its pages, or why there is none; the keys of the rows that are selected."""
    if found.entries:
        chosen = _table(found.entries)
        _PAGER.turn(len(found.entries), found.cursor, found.total)
        return chosen
    if (key := list_key(q)) and known_of(key):
        entry(key)  # it was on the list once
    else:
        _nothing(filtered)
    return []


def _tiles(counts: dict[str, int]) -> None:
    """How many there are and how they came, with the last days as curves."""
    days = suppressions.growth(workbench().database, DAYS)
    others = set(counts) - {Source.UNSUBSCRIBE, Source.BOUNCE}
    groups: dict[str, tuple[set[str], str]] = {
        "On the list": (set(counts), "blue"),
        "Unsubscribed": ({Source.UNSUBSCRIBE}, "violet"),
        "Bounced": ({Source.BOUNCE}, "red"),
        "Other ways": (others, "gray"),
    }
    cells = []
    for label, (sources, tone) in groups.items():
        series = [days[source] for source in sources if source in days]
        daily = [sum(day) for day in zip(*series, strict=True)] or [0] * DAYS
        curve = markup.spark(daily, tone, f"by day, the last {DAYS} days")
        note = f"{words.number(sum(daily))} in {DAYS} days"
        cells.append(markup.tile(label, words.number(sum(counts.get(source, 0) for source in sources)), note, curve))
    st.html(markup.tiles(cells))


def _filters() -> tuple[Wanted, dict[str, str]]:
    """Text and way, both in the address; as the query takes them, and as a link does."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        text = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            on_change=_restart,
            placeholder="Part of an address, or a whole one",
            icon=":material/search:",
            label_visibility="collapsed",
            width=320,
        )
        q = searched(text or "")
        counts = suppressions.counts(workbench().database, q or None)
        sources = [source for source in WAYS if counts.get(source) or st.query_params.get("source") == source]
        source: str | None = None
        if sources:
            source = st.pills(
                "How it came",
                sources,
                format_func=lambda name: f"{way(name)} {words.short(counts.get(name, 0))}",
                label_visibility="collapsed",
                **address.bound("source", sources, _restart),
            )
    given = {"q": q, "source": source or ""}
    return Wanted(q=q or None, source=source), {name: value for name, value in given.items() if value}


def _restart() -> None:
    _PAGER.restart()
    st.query_params.pop(ENTRY, None)
    st.session_state.pop(TABLE, None)


def _page(wanted: Wanted) -> SuppressionPage:
    database = workbench().database
    try:
        return suppressions.page(database, wanted, PAGE_ROWS, _PAGER.here)
    except InvalidInput:  # a link whose cursor was cut short: begin at the newest
        _PAGER.restart()
        return suppressions.page(database, wanted, PAGE_ROWS)


def _table(found: Sequence[Suppression]) -> list[str]:
    """The rows; one that is selected is told below, several can be removed together."""
    keys = [one.address for one in found]
    shown = SHOWN_ROWS if ENTRY in st.query_params else PAGE_ROWS
    table = st.dataframe(
        _frame(found),
        key=TABLE,
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(len(found), shown) * ROW_HEIGHT + HEAD_HEIGHT,
        column_config=_columns(),
        on_select=lambda: _select(keys),
        selection_mode="multi-row",
        placeholder="",
        alt="Suppressed addresses",
    )
    return [keys[row] for row in table.selection.rows if row < len(keys)]


def _select(keys: Sequence[str]) -> None:
    rows = st.session_state[TABLE]["selection"]["rows"]
    if len(rows) == 1 and rows[0] < len(keys):
        st.query_params[ENTRY] = keys[rows[0]]
    else:
        st.query_params.pop(ENTRY, None)


def _frame(found: Sequence[Suppression]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "address": [one.shown for one in found],
            "way": [[way(one.source)] for one in found],
            "reason": [one.reason for one in found],
            "since": pd.to_datetime([one.created_at for one in found], unit="ms", utc=True),
            "job": [(one.job_id or "")[:8] for one in found],
        }
    )


def _columns() -> dict[str, Any]:
    c = st.column_config
    labels = [label for label, _ in WAYS.values()]
    colours = [markup.INK[tone] + "2e" for _, tone in WAYS.values()]
    return {
        "address": c.TextColumn("address", width=260),
        "way": c.MultiselectColumn("how it came", options=labels, color=colours, width=125),
        "reason": c.TextColumn("reason", width=420),
        "since": c.DatetimeColumn("since", format="D MMM YYYY, HH:mm", timezone=st.context.timezone, width=145),
        "job": c.TextColumn("job", width=90, help="The job it came from; select the row for more"),
    }


def _nothing(filtered: bool) -> None:
    title = "No address fits" if filtered else "Nobody is suppressed"
    text = (
        "Change or clear the filters above; whoever is not on the list gets mail."
        if filtered
        else "Who unsubscribes or bounces comes onto this list by itself. Others can be added, or a list imported."
    )
    with st.container(border=True, key="empty"):
        st.html(f'<div class="pb-empty"><b>{title}</b><span>{text}</span></div>')
        with st.container(horizontal=True, horizontal_alignment="center"):
            if filtered:
                st.button("Clear the filters", on_click=_clear, key="clear")
            else:
                st.button("Add addresses", icon=":material/add:", on_click=suppressions_add.open_panel, key="first")


def _clear() -> None:
    _restart()
    st.session_state["q"] = ""
    st.query_params.clear()
