"""What the DNS says of the sender's domain: asked once in a while for each sender, and when the visitor wants."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import streamlit as st

from engine.errors import ConfigError
from engine.execution import check_sender
from engine.mail.address import Address
from engine.mail.policies import Finding, Level
from engine.workbench import workbench
from pages.parts import figures

SECONDS = 6.0
"""The page waits so long for the name servers."""
KEPT_MS = 300_000
_KEPT = "send_domain"


def of_sender(sender: Address) -> Sequence[Finding]:
    """What receivers will make of messages from there."""
    now = figures.now(workbench().database)
    kept = st.session_state.get(_KEPT)
    if isinstance(kept, tuple) and kept[0] == sender.key and now - kept[1] < KEPT_MS:
        found: Sequence[Finding] = kept[2]
        return found
    with st.spinner("Asking the DNS about the sender …", show_time=False):
        found = _asked(sender)
    st.session_state[_KEPT] = sender.key, now, found
    return found


def again() -> None:
    """Forget what was said: it is asked for anew."""
    st.session_state.pop(_KEPT, None)


def _asked(sender: Address) -> Sequence[Finding]:
    try:
        return asyncio.run(asyncio.wait_for(check_sender(workbench().settings, sender), SECONDS))
    except TimeoutError:
        sentence = f"The name servers said nothing about {sender.domain} in time."
        return [Finding("DNS", Level.UNKNOWN, sentence, "Check again.")]
    except ConfigError as error:
        return [Finding("Relay", Level.PROBLEM, str(error), "Put the setting right and restart.")]
