"""The form of find-emails: people and domains, how to verify candidates, and how much of each site to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.jobs._answers import NOT_FOUND
from engine.jobs.find_emails import Params
from pages.parts import depth, service
from pages.parts.columns import Onward, View
from pages.parts.depth import Depth
from pages.parts.form import Form, Raw, Slots
from pages.parts.listing import Listing
from pages.parts.service import ServiceFields
from pages.parts.topics import PEOPLE

_SERVICE = ServiceFields("find")
_DEPTH = Depth("find", Params)
_WRITE = Onward("Write to the valid", ":material/send:", "send-emails", "valid")
_FRONT = ("first_name", "last_name", "domain", "email", "confidence", "status", "why", "pattern", "sources", "candidates_tried")


def draw(slots: Slots) -> Raw:
    """The fields of verifying, on the right the depth; below them how sites are treated."""
    raw = _SERVICE.draw(slots, _DEPTH.draw)
    depth.manners()
    return raw


def load(params: Mapping[str, Any]) -> None:
    """Fill the fields from a job's parameters."""
    _SERVICE.load(params)
    _DEPTH.load(params)


def brief(params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters in a line."""
    return service.brief(params) | {"pages per site": f"{params['maxPagesPerDomain']:,}"}


FORM = Form(draw, load, brief=brief, verb="Find", source=Listing("find", PEOPLE), view=View(_FRONT, _WRITE, (NOT_FOUND,)))
