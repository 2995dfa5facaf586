"""What became of the messages of a job: how many, where to, each of them; live."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from engine.durable import delivery_pages, resolution
from engine.durable.sending_tables import State
from engine.durable.states import Status
from engine.durable.tables import Job
from engine.errors import NotFound
from engine.sending.parcels import Route
from engine.sending.recipients import Why
from engine.workbench import workbench
from pages.parts import figures, markup, send_chart, send_doubt, send_rules, words
from pages.parts.send_messages import messages

CHART_TICKS, ROW_TICKS = 5, 10
"""The chart and the messages of a running job are drawn anew once in so many ticks."""
MANY = 50_000
"""A job with more messages is counted once in `MANY_TICKS`: it takes the database tens of milliseconds."""
MANY_TICKS = 5
DOUBTS = "send_doubts"
"""Session key: with how many messages to decide about the page was drawn; another number has it drawn again."""


def report(job: Job, tick: float | None, edit: Callable[[], None]) -> None:
    """The section of the job's cell."""
    counts = delivery_pages.counts(workbench().database, job.id)
    st.session_state[DOUBTS] = counts.get(State.IN_DOUBT, 0) - _resent(job.id, counts)
    slower = MANY_TICKS if job.total_items > MANY else 1
    if job.status == Status.COMPLETED and job.params.get("transport") == Route.OUTBOX and counts.get(State.SENT):
        _for_real(counts[State.SENT], edit)
    st.fragment(_figures, run_every=tick and tick * slower)(job.id)
    send_doubt.panel(job)
    st.fragment(_domains, run_every=tick and tick * slower * CHART_TICKS)(job.id)
    st.fragment(messages, run_every=tick and tick * slower * ROW_TICKS)(job)


def _figures(job_id: str) -> None:
    """The numbers; a new message in doubt has the page drawn once, so that it can be decided about."""
    try:
        job, now = figures.current(workbench().database, job_id)
    except NotFound:  # deleted meanwhile: the whole page says so
        st.rerun()
    counts = delivery_pages.counts(workbench().database, job_id)
    resent = _resent(job_id, counts)
    if counts.get(State.IN_DOUBT, 0) - resent != st.session_state[DOUBTS]:
        st.rerun()
    st.html(tiles(job, counts, _next(job, counts, now), resent))


def _resent(job_id: str, counts: Mapping[State, int]) -> int:
    """Messages in doubt about which somebody has decided."""
    return resolution.resent(workbench().database, job_id) if counts.get(State.IN_DOUBT) else 0


def _next(job: Job, counts: Mapping[State, int], now: int) -> str:
    """When the first deferred message is tried again."""
    if not counts.get(State.RETRY):
        return ""
    due = figures.next_try(workbench().database, job.id)
    if due is None or job.ended:
        return ""
    return f"next in {words.duration((due - now) / 1000)}" if due > now else "next one now"


def tiles(job: Job, counts: Mapping[State, int], next_try: str = "", resent: int = 0) -> str:
    """The numbers as HTML. Who was left out is known of committed rows, everything else as it happens.

    `resent`: messages in doubt that another job sends again; nobody has to decide about them any more.
    """
    left_out = left_out_of(job, counts)
    count = {state: counts.get(state, 0) for state in State}
    done = count[State.SENT] + count[State.FAILED] + count[State.IN_DOUBT]
    to_go = max(0, job.total_items - done - left_out - count[State.RETRY])
    sent = "In the outbox" if job.params.get("transport") == Route.OUTBOX else "Sent"
    cells = [
        markup.tile(
            sent, words.number(count[State.SENT]), words.percent(count[State.SENT], done), colour="green" if done else ""
        ),
        _tile("Failed", count[State.FAILED], "red", "turned away for good"),
        _doubt(count[State.IN_DOUBT] - resent, resent),
        _tile("Deferred", count[State.RETRY], "violet", next_try or "tried again later"),
        _tile("Left out", left_out, "gray", "nobody was written to"),
        _tile("To go", 0 if job.status == Status.COMPLETED else to_go, "blue", "not tried yet"),
    ]
    return markup.tiles(cells)


def _doubt(count: int, resent: int) -> str:
    """Those still to be decided about; of the others only what became of them."""
    note = "handed over, no answer" if count else ""
    if resent:
        note = f"{words.number(resent)} {'more ' if count else ''}sent again"
    return markup.tile("In doubt", words.number(count), note, colour="amber" if count else "")


def left_out_of(job: Job, counts: Mapping[State, int]) -> int:
    """Rows without a message: those that the list lost, and those whose address is suppressed."""
    lost = sum(count for why, count in job.tallies.get("left_out", {}).items() if why != Why.SUPPRESSED)
    return lost + counts.get(State.SUPPRESSED, 0)


def _tile(label: str, count: int, colour: str, note: str) -> str:
    return markup.tile(label, words.number(count), note if count else "", colour=colour if count else "")


def _domains(job_id: str) -> None:
    found = delivery_pages.domains(workbench().database, job_id, send_chart.TOP)
    if len(found) < 2:
        return
    with st.container(border=True, key="send_domains"):
        st.html('<h3 class="pb-h2">Recipients\' domains</h3>')
        st.echarts_chart(
            send_chart.stacked(found), height=send_chart.height(found), key="chart_domains", alt=send_chart.summary(found)
        )


def _for_real(count: int, edit: Callable[[], None]) -> None:
    """The way from a dry run to the real thing: the form, filled in again."""

    def reopened() -> None:
        edit()
        st.session_state[send_rules.TRANSPORT] = Route.SMTP.value

    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="send_for_real"):
        text = f"{words.plural(count, 'message')} lie in the outbox, nothing has left. Look at them below."
        if count == 1:
            text = "One message lies in the outbox, nothing has left. Look at it below."
        st.html(markup.notice("blue", "Dry run.", text))
        able = send_rules.has_relay()
        st.button(
            "Send for real",
            icon=":material/send:",
            type="primary",
            disabled=not able,
            help="Opens the form with this list and message; nothing is sent before you press Send"
            if able
            else send_rules.SET_UP,
            on_click=reopened,
            key="send_real",
        )
