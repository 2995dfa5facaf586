"""What is to be written, and for drafts the list: who is written to."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.durable.tables import Job
from engine.jobs.ai_generate import Mode
from pages.parts import glance
from pages.parts.form import Given, Slots
from pages.parts.listing import Listing
from pages.parts.topics import Chosen, Recipients

MODE = "ai_mode"
LISTING = "ai"
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
    "One address per line, or rows with headings: the model is told every column",
    glance.addresses,
    "The first row holds the headings; the model is told every column",
)


def mode() -> Mode:
    """What is chosen."""
    return Mode(st.session_state.get(MODE) or Mode.CONTACTS)


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
        return self._listing(slots) if mode() is Mode.DRAFTS else Given()

    def load(self, job: Job) -> None:
        """Offer mode and list of a job again."""
        st.session_state[MODE] = Mode(job.params["mode"])
        if mode() is Mode.DRAFTS:
            self._listing.load(job)

    def release(self) -> None:
        """Let go of the list: it was submitted."""
        self._listing.release()
