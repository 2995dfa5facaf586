"""The page `/verified-emails`: every address that was verified: search, page, download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from engine.durable import verdict_pages
from engine.durable.tables import VerifiedEmail
from engine.durable.verdict_pages import EmailPage, Wanted
from engine.errors import InvalidInput
from engine.mail.address import Address, parse
from engine.mail.evidence import Status
from engine.workbench import workbench
from pages.parts import address, catalog, markup
from pages.parts.columns import status_column
from pages.parts.dossier import ADDRESS, dossier
from pages.parts.downloads import table_downloads
from pages.parts.pager import Pager
from pages.parts.rows import HEAD_HEIGHT, ROW_HEIGHT, SHOWN_ROWS

PAGE_ROWS = 25
_PAGER = Pager("known", "address", "addresses", PAGE_ROWS)
_TABLE = "known_table"
_ABOUT = "The last verdict on every address. What is known here is not asked for again."


def known() -> None:
    """Everything on the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(markup.heading("Verified e-mails", _ABOUT), width="content")
        st.space("stretch")
        tools = st.container(width="content")
    wanted, filters = _filters()
    found = _page(wanted)
    with tools:
        table_downloads("verified-emails", filters, enabled=bool(found.total))
    if found.emails:
        _table(found.emails)
        _PAGER.turn(len(found.emails), found.cursor, found.total)
    else:
        _nothing(bool(filters))
    if chosen := st.query_params.get(ADDRESS):
        dossier(chosen)


def _filters() -> tuple[Wanted, dict[str, str]]:
    """Text and status, both in the address; as the query takes them, and as a link does."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters"):
        text = st.text_input(
            "Search",
            key="q",
            bind="query-params",
            on_change=_restart,
            placeholder="Part of an address, or @domain",
            icon=":material/search:",
            label_visibility="collapsed",
            width=320,
        )
        states = [str(status) for status in Status]
        status: str | None = st.pills("Status", states, label_visibility="collapsed", **address.bound("status", states, _restart))
    q = _searched((text or "").strip())
    given = {"q": q, "status": status or ""}
    return Wanted(q=q or None, status=status), {name: value for name, value in given.items() if value}


def _searched(text: str) -> str:
    """A whole address as it is kept, however it was written; any other text as it is."""
    parsed = parse(text) if "@" in text[1:] else None
    return parsed.key if isinstance(parsed, Address) else text


def _restart() -> None:
    _PAGER.restart()
    st.query_params.pop(ADDRESS, None)


def _page(wanted: Wanted) -> EmailPage:
    database = workbench().database
    try:
        return verdict_pages.page(database, wanted, PAGE_ROWS, _PAGER.here)
    except InvalidInput:  # a link whose cursor was cut short: begin at the newest
        _PAGER.restart()
        return verdict_pages.page(database, wanted, PAGE_ROWS)


def _table(emails: Sequence[VerifiedEmail]) -> None:
    """The rows; the one that is selected is told below."""
    names = [email.address for email in emails]
    shown = SHOWN_ROWS if ADDRESS in st.query_params else PAGE_ROWS
    st.dataframe(
        _frame(emails),
        key=_TABLE,
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(len(emails), shown) * ROW_HEIGHT + HEAD_HEIGHT,
        column_config=_columns(),
        on_select=lambda: _select(names),
        selection_mode="single-row",
        placeholder="",
        alt="Verified addresses",
    )


def _select(names: Sequence[str]) -> None:
    rows = st.session_state[_TABLE]["selection"]["rows"]
    if rows and rows[0] < len(names):
        st.query_params[ADDRESS] = names[rows[0]]
    else:
        st.query_params.pop(ADDRESS, None)


def _frame(emails: Sequence[VerifiedEmail]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "address": [email.address for email in emails],
            "status": [[email.status] for email in emails],
            "reason": [email.reason.replace("_", " ") for email in emails],
            "score": [email.score for email in emails],
            "checked": [email.level for email in emails],
            "provider": [email.data.get("provider", "") for email in emails],
            "verified": pd.to_datetime([email.verified_at for email in emails], unit="ms", utc=True),
            "times": [email.count for email in emails],
        }
    )


def _columns() -> dict[str, Any]:
    c = st.column_config
    return {
        "address": c.TextColumn("address", width=230),
        "status": status_column(list(Status)),
        "reason": c.TextColumn("reason", width=170),
        "score": c.NumberColumn("score", width=60, help="0 (surely bad) to 100 (surely good)"),
        "checked": c.TextColumn("checked", width=85, help="How far it was checked: syntax, domain or mailbox"),
        "provider": c.TextColumn("provider", width=130),
        "verified": c.DatetimeColumn("verified", format="D MMM YYYY, HH:mm", timezone=st.context.timezone, width=145),
        "times": c.NumberColumn("times", width=60, help="How often it was verified"),
    }


def _nothing(filtered: bool) -> None:
    title = "No address fits" if filtered else "No address is known yet"
    text = "Change or clear the filters above." if filtered else "Verify a list: each verdict is kept here."
    with st.container(border=True, key="empty"):
        st.html(f'<div class="pb-empty"><b>{title}</b><span>{text}</span></div>')
        with st.container(horizontal=True, horizontal_alignment="center"):
            if filtered:
                st.button("Clear the filters", on_click=_clear, key="clear")
            else:
                job_type = workbench().types["verify-emails"]
                label, icon = job_type.title, catalog.icon(job_type)
                st.page_link(catalog.script(job_type.name), label=label, icon=icon, width="content")


def _clear() -> None:
    _restart()
    st.session_state["q"] = ""
    st.query_params.clear()
