"""The fields that say what to write: the brief, how many or how, and in which language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.jobs.ai_generate import USUAL_COUNT, Mode
from engine.mail.drafting import Length
from pages.parts.form import Raw, Slots

_EXAMPLES = {
    Mode.CONTACTS: "Buyers of office furniture at mid-sized companies in Norway and Sweden",
    Mode.DRAFTS: "Invite them to our open day on 3 May in Hall 4 and ask whether they come. Signed by Mara Lind, Lind Furniture.",
}
_HINTS = {
    Mode.CONTACTS: "What kind of people, and of which companies and countries",
    Mode.DRAFTS: "What the message is to say and to achieve, and who signs it",
}


def draw(slots: Slots, mode: Mode) -> Raw:
    """The fields; returns wire names and values."""
    st.session_state.setdefault(_key("count"), USUAL_COUNT)
    st.session_state.setdefault(_key("length"), Length.MEDIUM)
    text = st.text_area("Brief", height=190, max_chars=5_000, placeholder=_EXAMPLES[mode], **_lasting(f"brief_{mode}"))
    slots.under("brief", _HINTS[mode])
    raw: Raw = {"brief": text.strip()} if text and text.strip() else {}
    if mode is Mode.CONTACTS:
        return raw | _contacts(slots)
    return raw | _drafts(slots)


def load(params: Mapping[str, Any]) -> None:
    """Fill them from a job's parameters."""
    st.session_state[_key(f"brief_{params['mode']}")] = params.get("brief") or ""
    st.session_state[_key("count")] = params.get("count") or USUAL_COUNT
    st.session_state[_key("language")] = params.get("language") or ""
    st.session_state[_key("tone")] = params.get("tone") or ""
    st.session_state[_key("length")] = Length(params.get("length") or Length.MEDIUM)


def _contacts(slots: Slots) -> Raw:
    left, right = st.columns(2, gap="small")
    with left:
        count = st.number_input("Count", step=5, value=None, **_lasting("count"))
        slots.under("count", "A request writes five of them")
    with right:
        raw = _language(slots)
    return raw | ({"count": count} if count is not None else {})


def _drafts(slots: Slots) -> Raw:
    left, right = st.columns(2, gap="small")
    with left:
        raw = _language(slots)
    with right:
        tone = st.text_input("Tone", placeholder="friendly, formal …", max_chars=120, **_lasting("tone"))
        slots.under("tone", "The brief decides when empty")
    length = st.segmented_control("Length", list(Length), format_func=str.capitalize, required=True, **_lasting("length"))
    slots.under("length", "Each draft is a request of its own, about one row")
    return raw | ({"tone": tone.strip()} if tone and tone.strip() else {}) | {"length": Length(length or Length.MEDIUM).value}


def _language(slots: Slots) -> Raw:
    text = st.text_input("Language", placeholder="that of the brief", max_chars=60, **_lasting("language"))
    slots.under("language", "Such as German")
    return {"language": text.strip()} if text and text.strip() else {}


def _lasting(part: str) -> dict[str, Any]:
    """A field that outlives a change of page."""
    return {"key": _key(part), "persist_state": "session"}


def _key(part: str) -> str:
    return f"ai_{part}"
