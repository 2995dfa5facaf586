"""The form of generate-verified-emails: what to generate, and how to verify it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from engine.jobs import generate_verified_emails as job
from pages.parts import service
from pages.parts.form import Form, Raw, Slots
from pages.parts.generate import Fields, preview
from pages.parts.service import ServiceFields

_MAX_COUNT = next(rule.le for rule in job.Params.model_fields["count"].metadata if hasattr(rule, "le"))
_PEOPLE = Fields("verified", job.Params, 100, f"How many valid addresses you want, 1 to {_MAX_COUNT:,}", step=100)
_SERVICE = ServiceFields("verified_by")


def draw(slots: Slots) -> Raw:
    """The fields of generating, those of verifying, and when to give up."""
    raw = _PEOPLE.draw(slots)
    st.html('<h3 class="pb-h2">How to verify them</h3>')
    return raw | _SERVICE.draw(slots, _most)


def _most(slots: Slots) -> Raw:
    most = st.number_input(
        "Most candidates", step=1000, value=None, placeholder="20 for each one wanted", **_PEOPLE.common("max_candidates")
    )
    slots.under("maxCandidates", "The job ends with what it has found when so many were tried")
    return {"maxCandidates": most}


def load(params: Mapping[str, Any]) -> None:
    """Fill the fields from a job's parameters."""
    _PEOPLE.load(params)
    _SERVICE.load(params)
    st.session_state[_PEOPLE.key("max_candidates")] = params.get("maxCandidates")


def brief(params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in a line."""
    most = params.get("maxCandidates")
    return _PEOPLE.brief(params) | service.brief(params) | ({"most candidates": f"{most:,}"} if most else {})


FORM = Form(draw, load, preview, brief, verb="Generate and verify")
