"""Drafts of messages: what a model gives, and whether it can be taken."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import Field, ValidationError

from engine.mail.drafting.texts import Body, Subject, Written, addresses_in, problems_of, schema_of

KEY = "subject"


class Draft(Written):
    """A message to one recipient. Its texts are values: nothing in them is ever rendered as a template."""

    subject: Subject = Field(description="Subject of the message: one line, at most 80 characters.")
    body: Body = Field(description="Text of the message, plain, with line breaks between paragraphs.")


def draft_schema() -> dict[str, Any]:
    """The schema of an answer."""
    return schema_of(Draft)


def read_draft(value: Any, allowed: Collection[str]) -> Draft | list[str]:
    """The draft in an answer, or what is wrong with it. `allowed`: addresses that it may name, in lower case; it invents none."""
    try:
        draft = Draft.model_validate(value if isinstance(value, dict) else {})
    except ValidationError as error:
        return problems_of(error)
    invented = (addresses_in(draft.subject) | addresses_in(draft.body)) - set(allowed)
    if invented:
        return ["body: names an e-mail address that is neither in the brief nor in the data; leave it out"]
    return draft
