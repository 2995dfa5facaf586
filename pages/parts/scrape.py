"""The form of scrape-emails: domains, and how much of each site to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import streamlit as st

from engine.jobs.scrape_emails import Params
from engine.scraping.report import SiteStatus
from pages.parts import depth
from pages.parts.columns import Onward, View
from pages.parts.depth import Depth
from pages.parts.form import Form, Raw, Slots
from pages.parts.listing import Listing
from pages.parts.topics import DOMAINS

_DEPTH = Depth("scrape", Params)
_FRONT = ("email", "status", "domain", "found_as", "source_url", "page_title", "error")
_BARE = tuple(status for status in get_args(SiteStatus) if status != "found")
_VERIFY = Onward("Verify these", ":material/fact_check:", "verify-emails", "found")


def draw(slots: Slots) -> Raw:
    """The field, and how sites are treated."""
    left, right = st.columns([1, 2], gap="medium", vertical_alignment="center")
    with left:
        raw = _DEPTH.draw(slots)
    with right:
        depth.manners()
    return raw


def brief(params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in a line."""
    column = params.get("column")
    shown = {"pages per site": f"{params['maxPagesPerDomain']:,}", "column": column if column != "domain" else None}
    return {name: value for name, value in shown.items() if value}


FORM = Form(draw, _DEPTH.load, brief=brief, verb="Scrape", source=Listing("scrape", DOMAINS), view=View(_FRONT, _VERIFY, _BARE))
