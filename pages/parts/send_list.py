"""The recipients of a message: the list, which of its rows count as verified, and the files that go along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from engine.durable.files import files_of
from engine.durable.tables import Job
from engine.errors import InvalidInput, Problem
from engine.sending.recipients import STATUS_COLUMNS
from engine.workbench import workbench
from pages.parts import send_files
from pages.parts.form import Given, Slots
from pages.parts.listing import Listing
from pages.parts.send_audience import Audience, List, audience, columns_of, line, list_of, verified
from pages.parts.send_message import COLUMNS

VERIFIED = "send_verified"
_AUDIENCE, _LOAN = "send_audience", "recipients_loan"


@dataclass(frozen=True)
class RecipientList:
    """The list with a line below it that says who of it will be written to."""

    listing: Listing

    def __call__(self, slots: Slots) -> Given:
        """Draw it; what was given so far."""
        given = self.listing(slots)
        source = None if given.problems else list_of(_LOAN, given)
        st.session_state[COLUMNS] = [] if source is None else columns_of(source)
        if source is None:
            return given
        given = replace(given, params=given.params | _verified_only(source))
        found = _looked_through(given)
        if isinstance(found, Audience):
            st.html(line(found))
            return given
        return replace(given, problems=tuple(found))

    def load(self, job: Job) -> None:
        """Offer the list of a job again, and its attachments."""
        self.listing.load(job)
        st.session_state[VERIFIED] = job.params.get("verifiedOnly") is not False
        send_files.keep(files_of(workbench().database, job.id))

    def release(self) -> None:
        """Let go of the list and of the attachments: they were submitted."""
        self.listing.release()
        st.session_state.pop(_AUDIENCE, None)
        send_files.keep(())


def heard(given: Given) -> Audience | None:
    """Who is written to, where that could be told; cheap, as it is kept."""
    if given.empty or given.problems:
        return None
    found = _looked_through(given)
    return found if isinstance(found, Audience) else None


def _looked_through(given: Given) -> Audience | Sequence[Problem]:
    try:
        source = list_of(_LOAN, given)
        assert source is not None  # the caller has looked
        return audience(_AUDIENCE, source, given.params["column"], bool(given.params.get("verifiedOnly")))
    except InvalidInput as error:
        return error.problems


def _verified_only(source: List) -> dict[str, bool]:
    """Asked where a column tells; left to the job where none does. Its words promise no more than the column holds."""
    told = [name for name in STATUS_COLUMNS if name in columns_of(source)]
    if not told:
        return {}
    st.session_state.setdefault(VERIFIED, True)
    if verified(source):
        label = "Only verified ones"
        means = f"Leaves out rows whose `{told[0]}` speaks against writing: risky, invalid, unknown, failed and the like"
    else:
        label = "Leave out those ruled out by their status"
        means = (
            f"Leaves out rows whose `{told[0]}` speaks against writing: failed, refused, not found and the like. "
            "Not everybody else on this list has been verified"
        )
    only = st.toggle(label, help=means, persist_state="session", key=VERIFIED)
    return {"verifiedOnly": only}
