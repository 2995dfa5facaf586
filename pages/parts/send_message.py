"""The fields of a message: who writes, what about, and the text, with the columns of the list to write into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.jobs.send_emails import Params
from engine.mail.message import ALWAYS, BODY_COLUMN, SUBJECT_COLUMN, variable_of
from pages.parts import browser, send_files
from pages.parts.form import Raw, Slots

COLUMNS = "send_columns"
"""Session key: the columns of the list that is chosen."""
FIELDS = {"from": "from_", "replyTo": "reply_to", "subject": "subject", "text": "text", "html": "html"}
"""Parameters that are texts, and how the model calls them."""
_SHOWN_CHIPS = 14
_HEIGHT = 260
_TEXT_HINT = "{{ name }} is a column, {{ name | default('…') }} one that may be empty; {% if name %} … {% endif %} chooses"
_TEXT_EXAMPLE = "Hello {{ first_name | default('there') }},\n\nwe have moved …"
_HTML_EXAMPLE = "<p>Hello {{ first_name | default('there') }},</p>\n<p>we have moved …</p>"


def draw(slots: Slots) -> Raw:
    """The fields; what is empty is left out."""
    columns: Sequence[str] = st.session_state.get(COLUMNS, ())
    sender, answers = st.columns(2, gap="small")
    with sender:
        raw = _line(slots, "from", "From", "Ann Hill <ann@example.com>", "Name and address, or the address alone")
    with answers:
        raw |= _line(slots, "replyTo", "Reply to", "the same", "Where answers go instead")
    drafted = SUBJECT_COLUMN in columns
    hint = f"Empty: each row's own, from the column {SUBJECT_COLUMN}" if drafted else "One line; variables are allowed"
    raw |= _line(slots, "subject", "Subject", f"from the column {SUBJECT_COLUMN}" if drafted else "News from {{ company }}", hint)
    _chips(columns)
    raw |= _body(slots, BODY_COLUMN in columns)
    return raw | send_files.draw(slots)


def load(params: Mapping[str, Any]) -> None:
    """Fill the fields from a job's parameters."""
    for name in FIELDS:
        st.session_state[_key(name)] = params.get(name) or ""


def _line(slots: Slots, name: str, label: str, placeholder: str, hint: str) -> Raw:
    text = st.text_input(label, live=name == "subject", placeholder=placeholder, **_lasting(name))
    slots.under(name, hint)
    return _given(name, text)


def _body(slots: Slots, drafted: bool) -> Raw:
    """Text and HTML, a tab each: both stay there whichever is shown."""
    own = f"Empty: each row's own, from the column {BODY_COLUMN}; " if drafted else ""
    plain, marked_up = st.tabs(["Text", "HTML"], key="send_tabs")
    with plain:
        example = f"from the column {BODY_COLUMN}" if drafted else _TEXT_EXAMPLE
        text = st.text_area("Text", height=_HEIGHT, placeholder=example, label_visibility="collapsed", **_lasting("text"))
        slots.under("text", own + _TEXT_HINT)
    with marked_up:
        html = st.text_area("HTML", height=_HEIGHT, placeholder=_HTML_EXAMPLE, label_visibility="collapsed", **_lasting("html"))
        slots.under("html", "Optional. Style sheets are written into the elements; the text is made from it where that is empty")
    return _given("text", text) | _given("html", html)


def _chips(columns: Sequence[str]) -> None:
    """The variables: a click writes one where the caret is, or copies it."""
    names = list(dict.fromkeys(name for column in columns if (name := variable_of(column))))
    shown = [*names[:_SHOWN_CHIPS], *sorted(ALWAYS - set(names))]
    browser.variables([f"{{{{ {name} }}}}" for name in shown], ["Subject", "Text", "HTML"])


def _given(name: str, text: str | None) -> Raw:
    return {name: text} if text and text.strip() else {}


def _lasting(name: str) -> dict[str, Any]:
    """A field that outlives a change of page."""
    about = Params.model_fields[FIELDS[name]].description
    return {"key": _key(name), "persist_state": "session", "help": about}


def _key(name: str) -> str:
    return f"send_{name}"
