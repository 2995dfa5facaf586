"""What is to be written, and for drafts the list: who is written to."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import streamlit as st

from engine.durable.contract import Source
from engine.durable.tables import Job
from engine.errors import Problem
from engine.jobs.ai_generate import Mode, told_columns
from pages.parts import glance
from pages.parts.form import Given, Slots
from pages.parts.lender import Loan
from pages.parts.listing import Listing
from pages.parts.topics import Chosen, Recipients

MODE = "ai_mode"
LISTING = "ai"
_CHOSEN = "ai_chosen_columns"
NAMES = {Mode.CONTACTS: "Contacts", Mode.DRAFTS: "Drafts"}
_TELLS = {
    Mode.CONTACTS: "Invents people from a brief, for demonstrations and tests. Nobody can be written to at their addresses.",
    Mode.DRAFTS: "Writes a message for each row of a list; nothing is sent from here.",
}


class Rows(Recipients):
    """A list whose rows are written to; the job takes it as it is."""

    def params(self, chosen: Chosen) -> dict[str, Any]:
        """Which column is the address only helps to see that the list is one."""
        return {}

    def chosen(self, params: Any) -> Chosen:
        """Nothing of it is kept."""
        return {"column": None}


ROWS = Rows(
    "addresses",
    "email,first_name,company\nann@example.com,Ann,Harbour Ltd\nben@example.org,Ben,Quiet & Co",
    "One address per line, or rows with headings: each column may tell the model something",
    glance.addresses,
    "The first row holds the headings; each column may tell the model something",
)


def mode() -> Mode:
    """What is chosen."""
    return Mode(st.session_state.get(MODE) or Mode.CONTACTS)


def source_of(given: Given) -> Source | None:
    """The list with its first row only, as a submit will see it; None where there is none, or it is wrong."""
    if given.rows is not None:
        return Source(given.rows.num_rows, given.rows.schema, given.rows.slice(0, 1))
    loan = st.session_state.get(f"{LISTING}_loan")
    if given.from_job and isinstance(loan, Loan):
        return Source(loan.rows, loan.sample.schema, loan.sample.slice(0, 1), loan.job.type)
    return None


def _told(slots: Slots, given: Given) -> Given:
    """Which columns the model is told; all that are the list's own where nothing else is chosen."""
    source = source_of(given)
    if source is None or given.problems:
        return given
    names, usual = source.schema.names, told_columns(source)
    key = f"{LISTING}_told_{hashlib.sha256(repr(names).encode()).hexdigest()[:12]}"
    kept = [name for name in st.session_state.pop(_CHOSEN, None) or () if name in names]
    if kept or key not in st.session_state:
        st.session_state[key] = kept or list(usual)
    chosen = st.multiselect("The model is told", names, persist_state="session", key=key)
    slots.under("columns", "Columns that say nothing useful, or that are none of its business, can be taken away")
    if not chosen:
        problem = Problem("columns", "choose one column at least; the model has to know whom it writes to")
        return replace(given, problems=(*given.problems, problem))
    return given if tuple(chosen) == usual else replace(given, params=given.params | {"columns": chosen})


class DraftList:
    """The choice between contacts and drafts, and below it the list that drafts are for."""

    def __init__(self) -> None:
        self._listing = Listing(LISTING, ROWS)

    def __call__(self, slots: Slots) -> Given:
        """Draw it; what was given so far."""
        if st.query_params.get("from_job"):  # whoever comes with a list wants drafts for it
            st.session_state[MODE] = Mode.DRAFTS
        st.session_state.setdefault(MODE, Mode.CONTACTS)
        st.segmented_control(
            "What to write",
            list(Mode),
            format_func=NAMES.__getitem__,
            required=True,
            label_visibility="collapsed",
            persist_state="session",
            key=MODE,
        )
        slots.under("mode", _TELLS[mode()])
        return _told(slots, self._listing(slots)) if mode() is Mode.DRAFTS else Given()

    def load(self, job: Job) -> None:
        """Offer mode and list of a job again."""
        st.session_state[MODE] = Mode(job.params["mode"])
        if mode() is Mode.DRAFTS:
            self._listing.load(job)
            st.session_state[_CHOSEN] = job.params.get("columns")

    def release(self) -> None:
        """Let go of the list: it was submitted."""
        self._listing.release()
