"""Messages in doubt: handed over without an answer, so that a person decides what becomes of each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from engine import decisions
from engine.durable import resolution
from engine.durable.resolution import InDoubt
from engine.durable.tables import Job
from engine.workbench import workbench
from pages.parts import markup, say, words
from pages.parts.confirm import ask, confirm
from pages.parts.rows import HEAD_HEIGHT, ROW_HEIGHT

SHOWN_ROWS = 8
_TABLE, _TOKEN, _OF = "send_doubt_table", "send_doubt_token", "send_doubt_of"
_MEANS = (
    "The server had the whole message and did not answer, or the engine stopped before it could write the answer down. "
    "It may have arrived. Nobody sends it again by itself."
)


def panel(job: Job) -> None:
    """The list with what can be done about it; nothing where nothing is in doubt."""
    found = resolution.in_doubt(workbench().database, job.id)
    if not found:
        return
    if st.session_state.get(_OF) != job.id:  # what was chosen in another job is not chosen in this one
        st.session_state.pop(_TABLE, None)
    st.session_state[_OF] = job.id
    with st.container(border=True, key="send_doubt"):
        noun = words.plural(len(found), "message")
        st.html(markup.notice("amber", f"{noun} in doubt.", _MEANS))
        _table(found)
        chosen = _chosen(found)
        some = chosen or found
        which = f"{len(chosen):,} chosen" if chosen else f"all {len(found):,}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                f"Treat as sent ({which})",
                icon=":material/done_all:",
                on_click=ask,
                args=("doubt_sent", job.id),
                key="doubt_sent_ask",
            )
            st.button(
                f"Send again ({which})",
                icon=":material/forward_to_inbox:",
                on_click=ask,
                args=("doubt_resend", job.id),
                key="doubt_resend_ask",
            )
        _confirmations(job, some)


def _confirmations(job: Job, some: Sequence[InDoubt]) -> None:
    noun = words.plural(len(some), "message")
    recipients = [one.recipient for one in some]
    text = "They count as sent from then on, here and in the result. Those that did not arrive stay undelivered."
    confirm("doubt_sent", f"Treat {noun} as sent?", text, "Treat as sent", lambda: _treat(job, recipients), job.id)
    text = (
        "Each of them may have arrived already; then it arrives a second time, with the same Message-ID, "
        "which many mail programs show once. A new job sends them."
    )
    confirm("doubt_resend", f"Send {noun} again?", text, "Send again", lambda: _resend(job, recipients), job.id)


def _treat(job: Job, recipients: Sequence[str]) -> None:
    noun = words.plural(len(recipients), "message")
    if say.attempt(lambda: decisions.treat_as_sent(workbench(), job.id, recipients), f"{noun} treated as sent"):
        st.session_state.pop(_TABLE, None)


def _resend(job: Job, recipients: Sequence[str]) -> None:
    """A new job; a second click finds the same one."""
    token = st.session_state.setdefault(_TOKEN, secrets.token_urlsafe(16))
    made: list[str] = []
    done = say.attempt(
        lambda: made.append(decisions.resend(workbench(), job.id, recipients, f"resend-{token}").job_id),
        "A new job sends them again",
    )
    st.session_state.pop(_TOKEN, None)
    st.session_state.pop(_TABLE, None)
    if done:
        st.query_params.from_dict({"job_id": made[0]})


def _table(found: Sequence[InDoubt]) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "recipient": [one.recipient for one in found],
                "row": [one.item + 1 for one in found],
                "noticed": pd.to_datetime([one.at for one in found], unit="ms", utc=True),
                "tries": [one.attempts for one in found],
                "why": [one.error or "" for one in found],
            }
        ),
        key=_TABLE,
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=min(len(found), SHOWN_ROWS) * ROW_HEIGHT + HEAD_HEIGHT,
        column_config={
            "recipient": st.column_config.TextColumn("recipient", width=230),
            "row": st.column_config.NumberColumn("row", width=60),
            "noticed": st.column_config.DatetimeColumn(
                "noticed", format="D MMM YYYY, HH:mm:ss", timezone=st.context.timezone, width=165
            ),
            "tries": st.column_config.NumberColumn("tries", width=55),
        },
        on_select="rerun",
        selection_mode="multi-row",
        placeholder="",
        alt="Messages in doubt",
    )


def _chosen(found: Sequence[InDoubt]) -> list[InDoubt]:
    rows = st.session_state[_TABLE]["selection"]["rows"] if _TABLE in st.session_state else []
    return [found[row] for row in rows if row < len(found)]
