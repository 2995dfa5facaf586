"""The form of verify-emails: a list, and how to verify it."""

from __future__ import annotations

from pages.parts import service
from pages.parts.columns import Onward, View
from pages.parts.form import Form
from pages.parts.listing import Listing
from pages.parts.service import ServiceFields
from pages.parts.topics import ADDRESSES

_FIELDS = ServiceFields("verify")
_WRITE = Onward("Write to the valid", ":material/send:", "send-emails", "valid")
FORM = Form(
    _FIELDS.draw,
    _FIELDS.load,
    brief=service.brief,
    verb="Verify",
    source=Listing("verify", ADDRESSES),
    view=View(onward=_WRITE),
)
