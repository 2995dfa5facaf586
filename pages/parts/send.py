"""The form of send-emails: recipients, message, rules of sending; on the way the message as it will be read, and a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.durable.states import RESUMABLE
from engine.durable.tables import Job
from engine.errors import Problem
from engine.sending.parcels import Route
from pages.parts import send_checks, send_message, send_preview, send_rules, send_test, words
from pages.parts.columns import View
from pages.parts.form import Draft, Form, Question, Raw, Slots
from pages.parts.listing import Listing
from pages.parts.send_list import RecipientList, heard
from pages.parts.send_report import report
from pages.parts.topics import RECIPIENTS

_FRONT = ("email", "status", "error", "smtp_code", "smtp_reply", "sent_at", "attempts")


def draw(slots: Slots) -> Raw:
    """The fields; on the right of the message there is room for its preview."""
    st.html('<h3 class="pb-h2 pb-part">Message</h3>')
    left, right = st.columns([11, 10], gap="medium")
    with left:
        raw = send_message.draw(slots)
    slots.rooms["preview"] = right.container(border=True, key="send_preview")
    st.html('<h3 class="pb-h2 pb-part">Sending</h3>')
    raw |= send_rules.draw(slots)
    slots.rooms["checks"] = st.container()
    return raw


def load(params: Mapping[str, Any]) -> None:
    """Fill the fields from a job's parameters."""
    send_message.load(params)
    send_rules.load(params)


def proof(slots: Slots, draft: Draft) -> tuple[Problem, ...]:
    """Preview, checks and test; what is wrong with the message and this list."""
    found = heard(draft.given)
    columns = found.columns if found else st.session_state.get(send_message.COLUMNS, ())
    design, flaws = send_preview.designed(draft.raw, columns)
    problems = [flaw for flaw in flaws if flaw.field in draft.raw and flaw not in draft.checked.problems]
    unknown = send_preview.unknown(design, found.columns) if design and found else ()
    with slots.rooms["preview"]:
        send_preview.preview(found, design, draft.raw)
    with slots.rooms["checks"]:
        send_checks.checks(draft, found, design)
        send_test.test(draft, found, ready=not (problems or unknown))
    return (*problems, *unknown)


def question(draft: Draft) -> Question | None:
    """Real messages are asked about once more."""
    if draft.raw.get("transport") != Route.SMTP:
        return None
    found = heard(draft.given)
    count = found.expected if found else 0
    many = f"{'' if found is None or found.whole else 'about '}{words.plural(count, 'message')}"
    rate = draft.raw.get("ratePerMinute")
    pace = "as fast as the relay takes them"
    if rate:
        pace = f"{rate:,} a minute" + (f", for {words.duration(60 * count / rate)}" if count > rate else "")
    found_wrong = st.session_state.get(send_checks.PROBLEMS, 0)
    warned = f" The checks below found {words.plural(found_wrong, 'problem')}." if found_wrong else ""
    text = f"From {draft.raw.get('from')}, {pace}. What has gone out cannot be taken back.{warned}"
    return Question(f"Send {many} for real?", text, f"Send {many}")


def again(job: Job) -> Question | None:
    """Nobody gets a real message twice by a single click."""
    if job.params.get("transport") != Route.SMTP:
        return None
    text = (
        f"A new job writes to the whole list of {words.plural(job.total_items, 'row')}: who had this message gets it once more."
    )
    if job.status in RESUMABLE:
        text += " Resume sends only what is left."
    return Question("Send all of it again?", text, "Send again")


def verb() -> str:
    """What the button does, by the transport that is chosen."""
    return "Send" if st.session_state.get(send_rules.TRANSPORT) == Route.SMTP else "Write to the outbox"


def brief(params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in a line."""
    rate = params.get("ratePerMinute")
    shown = {
        "from": params.get("from"),
        "subject": params.get("subject") or "from the list",
        "transport": send_rules.WAYS[Route(params.get("transport") or Route.OUTBOX)][0],
        "rate": f"{rate:,} a minute" if rate else "",
        "resends": str(params.get("resends") or "")[:8],
    }
    return {name: str(value) for name, value in shown.items() if value}


FORM = Form(
    draw,
    load,
    brief=brief,
    verb=verb,
    source=RecipientList(Listing("recipients", RECIPIENTS)),
    view=View(_FRONT),
    proof=proof,
    question=question,
    report=report,
    again=again,
)
