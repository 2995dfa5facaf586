"""A test: the row of the preview as a message to the visitor's own address, in a job of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import streamlit as st

from engine.durable import queries
from engine.durable.submit import Request, submit
from engine.errors import IdempotencyConflict, InvalidInput, NotFound
from engine.mail.address import Address
from engine.mail.message import read
from engine.sending.parcels import Route
from engine.workbench import workbench
from pages.parts import figures, gate, markup, words
from pages.parts.form import Draft
from pages.parts.send_audience import Audience, rows_of
from pages.parts.send_preview import shown_at
from pages.parts.situation import phase

TYPE = "send-emails"
SAME_MS = 10_000
"""Within so long a second click is the first one once more."""
_TO, _TESTED = "send_test_to", "send_tested"
_MARKS = ("synthetic", "input_synthetic")
"""Columns that say of a row that its address is made up: the visitor's is not."""


def test(draft: Draft, found: Audience | None, ready: bool) -> None:
    """The address, the button, what became of the last test."""
    with st.container(border=True, key="send_test"):
        st.html('<h3 class="pb-h2">Send a test to myself</h3>')
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            to = st.text_input("Your address", placeholder="you@example.com", persist_state="session", width=300, key=_TO)
            able = bool(ready and found and found.places and draft.checked.params)
            pressed = st.button("Send the test", icon=":material/outgoing_mail:", disabled=not able, key="send_test_go")
        wrong = ""
        if pressed and found is not None:
            wrong = _send(draft, found, (to or "").strip())
        hint = _hint(able, draft)
        st.html(f'<span class="pb-wrong" role="alert">{markup.ticked(wrong)}</span>' if wrong else hint)
        if st.session_state.get(_TESTED):
            st.fragment(_became, run_every=2.0 if _open() else None)()


def _hint(able: bool, draft: Draft) -> str:
    said = "The row of the preview, with your address in place of its own"
    if not able:
        said = "Once the message is complete: the row of the preview goes to your address"
    elif draft.raw.get("transport") == Route.SMTP:
        said += "; it goes out through the relay"
    else:
        said += "; it goes to the outbox, as the transport says"
    return f'<span class="pb-hint">{said}</span>'


def _send(draft: Draft, found: Audience, to: str) -> str:
    """Submit it; what is wrong, or nothing."""
    address = read(to)
    if not isinstance(address, Address):
        return words.sentence(address.message)
    bench = workbench()
    place = found.places[shown_at(found)]
    job_type = bench.job_type(TYPE)
    params = {**draft.raw, "verifiedOnly": False}
    request = Request(
        job_type,
        params,
        user_id=gate.visitor(),
        rows=_addressed(rows_of(found.source, place, 1), str(draft.raw["column"]), address.normalized),
        idempotency_key=_key(params, place, to),
        unset=bench.settings.unset,
    )
    try:
        done = submit(bench.database, bench.vault, request)
    except InvalidInput as error:
        return " ".join(words.sentence(problem.message) for problem in error.problems)
    except IdempotencyConflict:  # the list changed under a double click
        return "The form changed meanwhile; try again."
    st.session_state[_TESTED] = done.job_id, address.normalized
    return ""


def _addressed(row: pa.Table, column: str, address: str) -> pa.Table:
    """The row with another address, which nobody made up."""
    values = {column: pa.array([address], pa.string())} | {name: pa.nulls(1) for name in _MARKS if name in row.column_names}
    for name, value in values.items():
        row = row.set_column(row.schema.get_field_index(name), name, value)
    return row


def _key(params: Mapping[str, Any], place: int, to: str) -> str:
    moment = figures.now(workbench().database) // SAME_MS
    digest = hashlib.sha256(json.dumps([params, place, to, moment], sort_keys=True, default=str).encode())
    return f"test-{digest.hexdigest()[:48]}"


def _open() -> bool:
    job_id, _ = st.session_state[_TESTED]
    try:
        return not queries.get(workbench().database, job_id).ended
    except NotFound:
        return False


def _became() -> None:
    """The last test, with a link to its job."""
    job_id, to = st.session_state[_TESTED]
    try:
        job = queries.get(workbench().database, job_id)
    except NotFound:
        st.session_state.pop(_TESTED)
        return
    state = next(iter(job.counts), "") if job.ended else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pill = markup.pill(state or phase(job))
        st.html(f'<div class="pb-quiet">To {markup.ticked(to)} {pill}</div>', width="content")
        params = {"job_id": job_id}
        st.page_link("send_emails.py", label="Open the test", icon=":material/open_in_new:", query_params=params, width="content")
