"""The messages of a job: one page of them, by state and address; the one that is chosen, as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from engine.durable import delivery_pages
from engine.durable.delivery_pages import DeliveryPage
from engine.durable.resolution import RESENT
from engine.durable.sending_tables import Delivery, State
from engine.durable.tables import Job
from engine.errors import InvalidInput
from engine.sending.parcels import Route
from engine.workbench import workbench
from pages.parts import clock, markup, send_outbox, words
from pages.parts.columns import status_column
from pages.parts.pager import Pager
from pages.parts.rows import HEAD_HEIGHT, ROW_HEIGHT

PAGE_ROWS = 12
STATES = {
    State.SENT: "sent",
    State.FAILED: "failed",
    State.IN_DOUBT: "in doubt",
    State.RETRY: "deferred",
    State.QUEUED: "queued",
    State.SUPPRESSED: "suppressed",
}
"""States to look for; a message is in the others for moments."""
_PAGER = Pager("messages", "message", "messages", PAGE_ROWS, ("First", "Previous", "Next"))
_TABLE, _STATE, _SEARCH, _OF = "send_table", "send_state", "send_search", "send_messages_of"


def messages(job: Job) -> None:
    """Filter, table, pages, the chosen one."""
    counts = delivery_pages.counts(workbench().database, job.id)
    if not counts:
        return
    if st.session_state.get(_OF, job.id) != job.id:
        _restart()
    st.session_state[_OF] = job.id
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="send_messages_head"):
        st.html(f'<h3 class="pb-h2">Messages<span class="pb-quiet">{_about(job)}</span></h3>', width="content")
        st.space("stretch")
        state, text = _filters([state for state in STATES if counts.get(state)])
    found = _page(job.id, state, text)
    if not found.deliveries:
        st.html('<div class="pb-empty">No message fits.</div>')
        return
    _table(found.deliveries)
    total = counts[state] if state else sum(counts.values())
    _PAGER.turn(len(found.deliveries), found.cursor, len(found.deliveries) if text else total)
    if (chosen := _chosen(found.deliveries)) is not None:
        _shown(job, chosen)


def _about(job: Job) -> str:
    return "choose one to read it" if job.params.get("transport") == Route.OUTBOX else "choose one for what the server said"


def _filters(states: Sequence[State]) -> tuple[State | None, str]:
    if st.session_state.get(_STATE) not in states:
        st.session_state[_STATE] = None
    text = st.text_input(
        "Search messages",
        placeholder="Part of an address",
        icon=":material/search:",
        label_visibility="collapsed",
        width=240,
        on_change=_restart,
        key=_SEARCH,
    )
    state: State | None = st.pills(
        "State",
        states,
        format_func=STATES.__getitem__,
        label_visibility="collapsed",
        on_change=_restart,
        key=_STATE,
    )
    return state, (text or "").strip()


def _restart() -> None:
    """Begin on the first page, with nothing chosen."""
    _PAGER.restart()
    st.session_state.pop(_TABLE, None)


def _page(job_id: str, state: State | None, text: str) -> DeliveryPage:
    database = workbench().database
    try:
        return delivery_pages.page(database, job_id, state, text or None, PAGE_ROWS, _PAGER.here)
    except InvalidInput:  # an address that was cut short
        _restart()
        return delivery_pages.page(database, job_id, state, text or None, PAGE_ROWS)


def _table(found: Sequence[Delivery]) -> None:
    st.dataframe(
        _frame(found),
        key=_TABLE,
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=len(found) * ROW_HEIGHT + HEAD_HEIGHT,
        column_config=_columns(found),
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        alt="Messages of the job",
    )


def _frame(found: Sequence[Delivery]) -> pd.DataFrame:
    columns = {
        "recipient": [one.recipient for one in found],
        "state": [[STATES.get(State(one.state), "being sent")] for one in found],
        "attempts": [one.attempts for one in found],
        "reply": [_reply(one) for one in found],
        "sent": pd.to_datetime([one.sent_at for one in found], unit="ms", utc=True),
        "next try": pd.to_datetime([one.due_at if one.state == State.RETRY else None for one in found], unit="ms", utc=True),
        "why": [_why(one) or None for one in found],
    }
    frame = pd.DataFrame(columns)
    empty = [name for name in ("sent", "next try", "why") if frame[name].isna().all()]
    return frame.drop(columns=empty)


def _reply(one: Delivery) -> str:
    return " ".join(filter(None, [str(one.smtp_code or ""), one.smtp_reply or ""]))


def _why(one: Delivery) -> str:
    """What was the matter, and that a message in doubt was decided about."""
    again = _again(one)
    return " ".join(filter(None, [f"Sent again by job {again}." if again else "", one.error]))


def _again(one: Delivery) -> str:
    """The job that sent it again, shortened."""
    decided = one.resolution or ""
    return decided.removeprefix(RESENT)[:8] if decided.startswith(RESENT) else ""


def _columns(found: Sequence[Delivery]) -> dict[str, Any]:
    c = st.column_config
    states = sorted({STATES.get(State(one.state), "being sent") for one in found})
    return {
        "recipient": c.TextColumn("recipient", width=230, help="The mailbox; different ways to write it are one"),
        "state": status_column(states, label="state"),
        "attempts": c.NumberColumn("tries", width=55),
        "reply": c.TextColumn("reply", width=240, help="The server's last reply"),
        "sent": c.DatetimeColumn("sent", format="D MMM YYYY, HH:mm:ss", timezone=st.context.timezone, width=165),
        "next try": c.DatetimeColumn("next try", format="D MMM, HH:mm:ss", timezone=st.context.timezone, width=130),
        "why": c.TextColumn("why", width=280),
    }


def _chosen(found: Sequence[Delivery]) -> Delivery | None:
    rows = st.session_state[_TABLE]["selection"]["rows"] if _TABLE in st.session_state else []
    return found[rows[0]] if rows and rows[0] < len(found) else None


def _shown(job: Job, one: Delivery) -> None:
    """The message itself where it lies in the outbox; else what is known of it."""
    with st.container(border=True, key="send_message"):
        if job.params.get("transport") == Route.OUTBOX and one.state == State.SENT:
            send_outbox.message(job.id, one)
            return
        st.html(f'<div class="pb-title"><b>{markup.ticked(one.recipient)}</b></div>' + markup.facts(_facts(one)))
        for text in filter(None, (one.error, one.smtp_reply)):
            st.html(f'<div class="pb-quiet">{markup.ticked(text)}</div>')


def _facts(one: Delivery) -> dict[str, str]:
    zone = clock.zone()
    said = {
        "state": STATES.get(State(one.state), "being sent"),
        "tries": words.number(one.attempts),
        "sent": words.moment(one.sent_at, zone) if one.sent_at else "",
        "next try": words.moment(one.due_at, zone) if one.state == State.RETRY else "",
        "last reply": str(one.smtp_code or ""),
        "Message-ID": one.message_id,
        "sent again by job": _again(one),
    }
    return {name: value for name, value in said.items() if value}
