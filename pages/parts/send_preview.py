"""The message as somebody on the list will read it, made anew with every change of the form; one row after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from engine.errors import InvalidInput, Problem
from engine.mail.address import Address
from engine.mail.message import ALWAYS, BODY_COLUMN, SUBJECT_COLUMN, Design, RowFlaw, compose, fill, read, variable_of
from engine.workbench import workbench
from pages.parts import markup, send_files, words
from pages.parts.form import Raw
from pages.parts.letter import Shown, letter
from pages.parts.send_audience import Audience

AT = "send_at"
"""Session key: which of the rows that get a message is shown."""
TRIED = 300
"""Messages that are tried while a form is filled in, as far as `TRY_SECONDS` allow; a submit tries all of them."""
TRY_SECONDS = 0.25
_TRIES, _HEAD_ROWS = "send_tries", "send_first_rows"
_STAND_INS = {"from": "you@example.com", "postalAddress": "Your postal address"}


@dataclass(frozen=True)
class Tries:
    """Messages tried: how many, and what is wrong with which rows (numbers of `Audience.places`)."""

    tried: int
    flaws: Mapping[int, str]


def designed(raw: Raw, columns: Sequence[str]) -> tuple[Design | None, tuple[Problem, ...]]:
    """What the fields say, with stand-ins for what is not there yet; and all that is wrong with them. None: it cannot be read."""
    words_of = {"subject": raw.get("subject"), "text": raw.get("text"), "html": raw.get("html")}
    if not words_of["subject"] and SUBJECT_COLUMN not in columns:
        words_of["subject"] = "(no subject yet)"
    if not words_of["text"] and not words_of["html"] and BODY_COLUMN not in columns:
        words_of["text"] = "(no text yet)"
    given = {name: str(raw.get(name) or stand_in) for name, stand_in in _STAND_INS.items()}
    try:
        return _design(given, raw.get("replyTo"), words_of), ()
    except InvalidInput as error:
        problems = error.problems
    if {problem.field for problem in problems} & {"subject", "text", "html"}:
        return None, problems
    return _design(_STAND_INS, None, words_of), problems


def _design(given: Mapping[str, str], reply_to: str | None, words_of: Mapping[str, str | None]) -> Design:
    return Design.of(sender=given["from"], postal_address=given["postalAddress"], reply_to=reply_to, **words_of)


def unknown(design: Design, columns: Sequence[str]) -> tuple[Problem, ...]:
    """Variables that every row must have and the list has no column for, under the field that has them."""
    known = {*columns, *map(variable_of, columns), *ALWAYS}
    templates = {"subject": design.subject, "text": design.text, "html": design.html}
    missing = {
        name: sorted(wanted for wanted in template.required if wanted not in known and variable_of(wanted) not in known)
        for name, template in templates.items()
        if template
    }
    return tuple(Problem(name, _unknown(names, columns)) for name, names in missing.items() if names)


def _unknown(names: Sequence[str], columns: Sequence[str]) -> str:
    there = ", ".join(list(dict.fromkeys(filter(None, map(variable_of, columns))))[:12])
    several = len(names) > 1
    said = ", ".join(f"{{{{ {name} }}}}" for name in names)
    return f"{said} {'are no columns' if several else 'is no column'} of the list; it has {there}"


def preview(found: Audience | None, design: Design | None, raw: Raw) -> None:
    """The row that is shown, with buttons to the next; the message, or what keeps it from being written."""
    if design is None or found is None or not found.places or not _begun(raw, found.columns):
        st.html(f'<div class="pb-empty"><b>Preview</b><span>{_why_not(found, design)}</span></div>')
        return
    at = shown_at(found)
    tries = _tried(found, design, str(raw["column"]))
    _picker(found, at, tries)
    values = _values(found, at)
    try:
        shown = _written(design, values, str(raw["column"]), raw)
    except RowFlaw as flaw:
        if at not in tries.flaws:  # beyond those that were tried
            st.html(markup.notice("red", f"Row {found.places[at] + 1:,} cannot be written.", words.sentence(str(flaw))))
        return
    letter(shown, "send_letter")


def shown_at(found: Audience) -> int:
    """Which of the rows that get a message is shown."""
    at: int = st.session_state.get(AT, 0)
    return min(max(0, at), len(found.places) - 1)


def _begun(raw: Raw, columns: Sequence[str]) -> bool:
    return any(raw.get(name) for name in ("subject", "text", "html")) or BODY_COLUMN in columns


def _why_not(found: Audience | None, design: Design | None) -> str:
    if found is None:
        return "The message is shown as the rows of the list will read it, once there is one and nothing is wrong with it."
    if not found.places:
        return "Nobody on the list can be written to."
    if design is None:
        return "It comes back as soon as the marked field can be read."
    return "Write a subject or a text."


def _picker(found: Audience, at: int, tries: Tries) -> None:
    number = found.places[at] + 1
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="send_picker"):
        place = f"row {number:,}, {at + 1:,} of {found.expected:,}"
        st.html(f'<h3 class="pb-h2">Preview<span class="pb-quiet">{place}</span></h3>', width="content")
        st.space("stretch")
        last = at >= len(found.places) - 1
        _step("Previous", "chevron_left", at - 1, at == 0, "send_previous")
        _step("Next", "chevron_right", at + 1, last, "send_next")
    if tries.flaws:
        _flawed(found, at, tries)


def _flawed(found: Audience, at: int, tries: Tries) -> None:
    """Which messages cannot be written, and a way to the next of them."""
    first = at if at in tries.flaws else min(tries.flaws)
    others = len(tries.flaws) - 1
    more = f" Nor can {others:,} more of the first {tries.tried:,}." if others else ""
    title = f"Row {found.places[first] + 1:,} cannot be written."
    st.html(markup.notice("red", title, words.sentence(tries.flaws[first]) + more))
    after = next((place for place in sorted(tries.flaws) if place > at), first)
    if after != at:
        st.button(
            f"Show row {found.places[after] + 1:,}", icon=":material/search:", on_click=_go, args=(after,), key="send_flawed"
        )


def _step(label: str, icon: str, to: int, disabled: bool, key: str) -> None:
    st.button(label, icon=f":material/{icon}:", disabled=disabled, on_click=_go, args=(to,), type="tertiary", help=label, key=key)


def _go(to: int) -> None:
    st.session_state[AT] = to


def _tried(found: Audience, design: Design, column: str) -> Tries:
    """Write the first messages, once for each list and message."""
    kept = st.session_state.get(_TRIES)
    if isinstance(kept, tuple) and kept[0] is found and kept[1] == (design, column):
        tries: Tries = kept[2]
        return tries
    flaws: dict[int, str] = {}
    tried, until = 0, time.monotonic() + TRY_SECONDS
    for place, values in enumerate(_first(found)):
        try:
            fill(design, values, _link(), _email(values, column))
        except RowFlaw as flaw:
            flaws[place] = str(flaw)
        tried = place + 1
        if time.monotonic() > until:
            break
    tries = Tries(tried, flaws)
    st.session_state[_TRIES] = found, (design, column), tries
    return tries


def _first(found: Audience) -> list[dict[str, Any]]:
    """The first rows that get a message; read once for each list."""
    kept = st.session_state.get(_HEAD_ROWS)
    if not (isinstance(kept, tuple) and kept[0] is found):
        kept = st.session_state[_HEAD_ROWS] = found, found.head(found.places[:TRIED])
    rows: list[dict[str, Any]] = kept[1]
    return rows


def _values(found: Audience, at: int) -> dict[str, Any]:
    first = _first(found)
    return first[at] if at < len(first) else found.values(found.places[at])


def _link() -> str:
    """Looks like the link that each message has; nobody is unsubscribed by it."""
    return f"{workbench().settings.base_url}/api/unsubscribe/preview"


def _email(values: Mapping[str, Any], column: str) -> str:
    address = read(values.get(column))
    return address.normalized if isinstance(address, Address) else ""


def _written(design: Design, values: Mapping[str, Any], column: str, raw: Raw) -> Shown:
    """The message; the files are only counted, as encoding them each time would take long."""
    recipient = read(values.get(column))
    assert isinstance(recipient, Address)  # rows without one get no message
    filled = fill(design, values, _link(), recipient.normalized)
    composed = compose(design, filled, recipient, "", "<preview@localhost>", datetime.now(UTC), _link())
    shown = Shown.of(composed.data)
    head = {name: value for name, value in shown.head.items() if name != "Date"}
    if not raw.get("from"):
        head["From"] = "not said yet"
    return Shown(head, filled.text, filled.html, send_files.sizes(), shown.size + send_files.size())
