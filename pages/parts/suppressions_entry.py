"""One address: whether it gets mail, how that came about, what bounced; and removing it from the list."""

from __future__ import annotations

from html import escape

import streamlit as st

from engine.durable import bounces, suppressions
from engine.durable.sending_tables import Bounce, BounceKind, ListAction, Suppression
from engine.durable.suppressions import Change
from engine.errors import NotFound
from engine.workbench import workbench
from pages.parts import clock, markup, words
from pages.parts.suppressions_remove import TABLE, opener, question
from pages.parts.suppressions_words import job, pill, way, way_pill

ENTRY = "address"
"""The parameter of the page's address that names it."""
SHOWN = 50
"""Lines shown of history and of bounces, the newest."""
_LONG = '<div style="white-space:normal;overflow-wrap:anywhere;min-width:14rem">{}</div>'
"""A cell that holds sentences: it breaks where the others do not."""


def known_of(key: str) -> bool:
    """Whether there is anything to tell of an address that is not on the list."""
    database = workbench().database
    return bool(suppressions.history(database, key) or bounces.of(database, key, 1))


def entry(key: str) -> None:
    """The panel below the table."""
    database = workbench().database
    history, reports = suppressions.history(database, key), bounces.of(database, key, SHOWN)
    with st.container(border=True, key="dossier"):
        try:
            found = suppressions.get(database, key)
        except NotFound:
            _absent(key, bool(history or reports))
        else:
            _head(found)
            st.html(markup.facts(_facts(found, history)))
            question([key], f"{found.shown} from the list")
        if history:
            _sheet("History", [_change(change) for change in history[:SHOWN]], ["at", "", "how", "job", "reason"])
        if reports:
            _sheet("Bounces", [_bounce(one) for one in reports], ["at", "", "status", "job", "what the server said"])


def _absent(key: str, known: bool) -> None:
    more = "This is what is known of it." if known else "It was never on the list, and nothing bounced."
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        gets_mail = pill("gets mail", "green")
        st.html(f'<div class="pb-title"><b>{escape(key)}</b>{gets_mail}</div>', width="content")
        st.space("stretch")
        st.button("Close", icon=":material/close:", type="tertiary", on_click=_close, key="entry_close")
    st.html(f'<div class="pb-quiet">It is not on the list. {more}</div>')


def _head(found: Suppression) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<div class="pb-title"><b>{escape(found.shown)}</b>{way_pill(found.source)}</div>', width="content")
        st.space("stretch")
        opener()
        st.button("Close", icon=":material/close:", type="tertiary", on_click=_close, key="entry_close")
    st.html(f'<div class="pb-quiet">{escape(words.sentence(found.reason))}</div>')


def _facts(found: Suppression, history: list[Change]) -> dict[str, str]:
    zone, soft = clock.zone(), bounces.soft_count(workbench().database, found.address)
    said = {
        "since": words.moment(found.created_at, zone),
        "last changed": words.moment(found.updated_at, zone) if found.updated_at != found.created_at else "",
        "from job": "" if history or not found.job_id else found.job_id[:8],
        "known as": found.address if found.address != found.shown.lower() else "",
        "soft bounces": words.number(soft) if soft else "",
    }
    return {name: value for name, value in said.items() if value}


def _sheet(title: str, rows: list[list[str]], head: list[str]) -> None:
    more = f"the newest {SHOWN}" if len(rows) == SHOWN else "newest first"
    st.html(f'<h3 class="pb-h2">{title} <span class="pb-quiet">{more}</span></h3>' + markup.sheet(rows, head))


def _change(change: Change) -> list[str]:
    removed = change.action == ListAction.REMOVED
    return [
        words.moment(change.at, clock.zone()),
        pill("removed", "green") if removed else pill("added", "amber"),
        escape(way(change.source)),
        job(change.job_id, change.job_type),
        _LONG.format(escape(change.reason)),
    ]


def _bounce(report: Bounce) -> list[str]:
    return [
        words.moment(report.at, clock.zone()),
        pill(report.kind, "red" if report.kind == BounceKind.HARD else "gray"),
        escape(report.status) or words.DASH,
        f'<span class="pb-mono">{escape(report.job_id[:8])}</span>' if report.job_id else words.DASH,
        _LONG.format(f'<span class="pb-mono">{escape(report.diagnostic)}</span>') if report.diagnostic else words.DASH,
    ]


def _close() -> None:
    st.query_params.pop(ENTRY, None)
    st.session_state.pop(TABLE, None)
