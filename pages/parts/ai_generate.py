"""The form of ai-generate: what to write, for whom, and who writes it; on the way what the model will be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.jobs.ai_generate import Mode, Provider
from pages.parts import ai_generate_text, ai_generate_who
from pages.parts.ai_generate_list import DraftList, mode
from pages.parts.ai_generate_preview import proof
from pages.parts.ai_generate_report import report
from pages.parts.columns import View
from pages.parts.form import Form, Raw, Slots
from pages.parts.form import brief as shortened

_FRONT = ("email", "first_name", "last_name", "title", "company", "note", "subject", "body", "status", "error")


def draw(slots: Slots) -> Raw:
    """What to write on the left, who writes it on the right, what it may cost below."""
    left, right = st.columns(2, gap="medium")
    with left:
        raw = ai_generate_text.draw(slots, mode())
    with right:
        raw |= ai_generate_who.draw(slots)
    raw |= ai_generate_who.advanced(slots)
    slots.rooms["prompt"] = st.container()
    return {"mode": mode().value, **raw}


def load(params: Mapping[str, Any]) -> None:
    """Fill the fields from a job's parameters; a key is never kept, and the seed was drawn for that job."""
    ai_generate_text.load(params)
    ai_generate_who.load(params)


def brief(params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in a line."""
    provider = Provider(params.get("provider") or Provider.TEMPLATE)
    shown = {
        "mode": params["mode"],
        "brief": params["brief"],
        "count": params.get("count") if params["mode"] == Mode.CONTACTS else None,
        "language": params.get("language"),
        "tone": params.get("tone"),
        "provider": "" if provider is Provider.TEMPLATE else ai_generate_who.NAMES[provider],
        "model": params.get("model"),
    }
    return shortened(shown)


FORM = Form(draw, load, brief=brief, verb="Write", source=DraftList(), view=View(_FRONT), proof=proof, report=report)
