"""What the model will be asked for the first row, or what the template makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import cast

import streamlit as st

from engine.errors import InvalidInput, Problem
from engine.jobs.ai_generate import Mode, Params, Provider, prompt_of
from engine.mail.drafting import Prompt, template_contacts, template_draft
from pages.parts import markup
from pages.parts.ai_generate_list import source_of
from pages.parts.form import Draft, Slots

_PEOPLE = 3


def proof(slots: Slots, draft: Draft) -> tuple[Problem, ...]:
    """Show it below the fields, as far as they can be read."""
    params = cast(Params | None, draft.checked.params)
    if params is None or draft.given.problems or not params.brief:
        return ()
    try:
        source = source_of(draft.given)
        params = params.fitted(source) if source and params.mode is Mode.DRAFTS else params
    except InvalidInput:  # the submit says it at its field
        return ()
    row = source.head.to_pylist()[0] if source and source.head is not None else None
    if params.mode is Mode.DRAFTS and row is None:
        return ()
    with slots.rooms["prompt"]:
        if params.provider is Provider.TEMPLATE:
            _sample(params, row)
        else:
            _asked(prompt_of(params, row), params)
    return ()


def _asked(prompt: Prompt, params: Params) -> None:
    """The prompt, folded."""
    title = "What the model is asked for the first row" if params.mode is Mode.DRAFTS else "What the model is asked first"
    with st.expander(title, icon=":material/forum:", key="ai_prompt"):
        for role, text in (("Instructions", prompt.system), ("Question", prompt.turns[0])):
            st.html(f'<div class="pb-quiet pb-above">{role}</div><div class="pb-typed">{escape(text)}</div>')
        keys = ", ".join(f"`{name}`" for name in prompt.schema["properties"])
        drawn = " The initials are drawn when it is submitted." if params.mode is Mode.CONTACTS and params.seed is None else ""
        st.html(f'<div class="pb-quiet">{markup.ticked(f"The answer must be JSON with {keys} and nothing else.{drawn}")}</div>')


def _sample(params: Params, row: Mapping[str, object] | None) -> None:
    """What the rules make of the brief."""
    st.html('<div class="pb-quiet">Preview: written by rules, not AI</div>')
    if params.mode is Mode.DRAFTS:
        draft = template_draft(params.brief, row or {}, params.seed or 0, params.style)
        st.html(f'<div class="pb-paper"><b>{escape(draft.subject)}</b><div class="pb-lines">{escape(draft.body)}</div></div>')
        return
    people = template_contacts(params.brief, max(_PEOPLE, params.count or 0), params.seed or 0, 0, _PEOPLE)
    names = ("first_name", "last_name", "title", "company")
    cells = [[f'<span class="pb-mono">{escape(p.email)}</span>', *(escape(getattr(p.contact, n)) for n in names)] for p in people]
    st.html(markup.sheet(cells, ["email", *names]))
