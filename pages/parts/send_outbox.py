"""One message of the outbox: shown as its reader would see it, and to be had as a file."""

from __future__ import annotations

import streamlit as st

from engine.durable.sending_tables import Delivery
from engine.errors import NotFound
from engine.net import outbox
from engine.workbench import workbench
from pages.parts import markup
from pages.parts.letter import Shown, letter


def message(job_id: str, one: Delivery) -> None:
    """The message to a recipient."""
    name = file_name(one.message_id)
    try:
        data = outbox.read(workbench().settings.outbox, job_id, name)
    except NotFound:
        text = "It was written where an engine runs, and this machine does not have that folder; or it was deleted since."
        st.html(markup.notice("amber", "The file of this message is not here.", text))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<div class="pb-title"><b>{markup.ticked(one.recipient)}</b></div>', width="content")
        st.space("stretch")
        st.download_button(
            "Download .eml",
            data,
            file_name=name,
            mime="message/rfc822",
            icon=":material/download:",
            on_click="ignore",
            key="send_eml",
        )
    letter(Shown.of(data), "send_written")


def file_name(message_id: str) -> str:
    """What the outbox calls the message of that Message-ID."""
    return "".join(char for char in message_id.partition("@")[0] if char.isalnum()) + outbox.SUFFIX
