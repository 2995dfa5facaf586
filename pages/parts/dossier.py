"""What is known of one address: the verdict, how it came about, its history; and forgetting it."""

from __future__ import annotations

from html import escape

import streamlit as st

from engine.durable import verdict_pages
from engine.durable.tables import VerifiedEmail
from engine.durable.verdict_pages import Line
from engine.errors import NotFound
from engine.workbench import workbench
from pages.parts import catalog, clock, markup, say, words
from pages.parts.confirm import ask, confirm
from pages.parts.service import NAMES

ADDRESS = "address"
"""The parameter of the page's address that names it."""
SHOWN = 50
"""Lines of history shown, the newest."""
_NEVER = "It was never verified, or it was forgotten."
_DATA = {"provider": "provider", "mx": "mail server", "suggestion": "did you mean"}


def dossier(name: str) -> None:
    """The panel below the table."""
    with st.container(border=True, key="dossier"):
        try:
            email = verdict_pages.get(workbench().database, name)
        except NotFound:
            st.html(f'<div class="pb-empty"><b>Nothing is known of this address</b><span>{_NEVER}</span></div>')
            return
        _head(email)
        st.html(markup.facts(_facts(email)))
        _history(email)


def _head(email: VerifiedEmail) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<div class="pb-title"><b>{escape(email.address)}</b>{markup.pill(email.status)}</div>', width="content")
        st.space("stretch")
        st.button("Forget", icon=":material/delete:", on_click=ask, args=("forget",), key="forget_ask")
        st.button("Close", icon=":material/close:", type="tertiary", on_click=_close, key="dossier_close")
    if detail := str(email.data.get("detail") or ""):
        st.html(f'<div class="pb-quiet">{escape(detail)}</div>')
    text = "Its verdict and its history go; results of jobs stay as they are. The next job that has it asks about it again."
    confirm("forget", f"Forget {email.address}?", text, "Forget it", lambda: _forget(email.address))


def _facts(email: VerifiedEmail) -> dict[str, str]:
    zone, catch_all = clock.zone(), email.data.get("catchAll")
    said = {
        "reason": email.reason.replace("_", " "),
        "score": str(email.score),
        "checked": email.level,
        **{label: str(email.data.get(name) or "") for name, label in _DATA.items()},
        "takes any name": "" if catch_all is None else "yes" if catch_all else "no",
        "last verified": words.moment(email.verified_at, zone),
        "first": words.moment(email.created_at, zone),
        "times": words.number(email.count),
    }
    return {name: value for name, value in said.items() if value}


def _history(email: VerifiedEmail) -> None:
    lines = verdict_pages.history(workbench().database, email.address)
    more = f"the newest {SHOWN} of {len(lines)}" if len(lines) > SHOWN else "newest first"
    st.html(f'<h3 class="pb-h2">History <span class="pb-quiet">{more}</span></h3>')
    st.html(markup.sheet([_line(line) for line in lines[:SHOWN]], ["at", "status", "reason", "checked", "service", "job"]))


def _line(line: Line) -> list[str]:
    return [
        words.moment(line.at, clock.zone()),
        markup.pill(line.status),
        escape(line.reason.replace("_", " ")),
        escape(line.level),
        escape(NAMES.get(line.service, line.service)),  # type: ignore[call-overload]
        _job(line),
    ]


def _job(line: Line) -> str:
    """A link while the job exists."""
    if line.job_id is None:
        return words.DASH
    short = f'<span class="pb-mono">{escape(line.job_id[:8])}</span>'
    if line.job_type is None:
        return f'{short} <span class="pb-quiet">deleted</span>'
    there = f"{escape(line.job_type)}?job_id={escape(line.job_id)}"
    return f'<a href="{there}" target="_self">{escape(catalog.title(line.job_type))} {short}</a>'


def _forget(name: str) -> None:
    if say.attempt(lambda: verdict_pages.remove(workbench().database, name), "Forgotten"):
        _close()


def _close() -> None:
    st.query_params.pop(ADDRESS, None)
    st.session_state.pop("known_table", None)
