"""Invented contacts: what a model gives of each, and which of its answer's can be taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError, field_validator

from engine.mail.drafting.addresses import name_in_letters
from engine.mail.drafting.texts import MAX_PROBLEMS, Fact, Remark, Written, problems_of, schema_of

KEY = "contacts"


class Contact(Written):
    """A person who does not exist; the address is not the model's to write."""

    first_name: Fact = Field(description="First name.")
    last_name: Fact = Field(description="Surname.")
    title: Fact = Field(description="Job title.")
    company: Fact = Field(description="Name of an invented company.")
    note: Remark = Field(description="One sentence: why this person fits the brief.")

    @field_validator("first_name", "last_name")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name_in_letters(name):
            raise ValueError("must be a name with letters")
        return name

    @property
    def person(self) -> tuple[str, str]:
        """Who it is, however the name is written; `Contact 1` is another than `Contact 2`."""
        return _told_apart(self.first_name), _told_apart(self.last_name)


@dataclass(frozen=True, slots=True)
class Taken:
    """What of an answer can be used, by item, and what is wrong with the rest."""

    contacts: dict[int, Contact]
    problems: list[str]


def contacts_schema(count: int) -> dict[str, Any]:
    """The schema of an answer with that many contacts."""
    contacts = {"type": "array", "items": schema_of(Contact), "description": f"Exactly {count} contacts, all different people."}
    return {"type": "object", "properties": {KEY: contacts}, "required": [KEY], "additionalProperties": False}


def read_contacts(value: Any, items: Sequence[int], known: Collection[tuple[str, str]]) -> Taken:
    """The contacts of an answer, in order one for each of the items; `known` are people that exist already.

    More than were asked for are left out.
    """
    entries = _entries(value) if isinstance(value, dict) else value
    if not isinstance(entries, list):
        return Taken({}, [f"{KEY}: must be an array of {len(items)} objects"])
    taken: dict[int, Contact] = {}
    problems: list[str] = []
    people = set(known)
    for place, (item, entry) in enumerate(zip(items, entries, strict=False)):
        try:
            contact = Contact.model_validate(entry if isinstance(entry, dict) else {})
        except ValidationError as error:
            problems += problems_of(error, f"{KEY}.{place}")
            continue
        if contact.person in people:
            problems.append(f"{KEY}.{place}: is a person who was given before; invent another")
            continue
        people.add(contact.person)
        taken[item] = contact
    if len(entries) < len(items):
        problems.append(f"{KEY}: has {len(entries)} entries, and {len(items)} were asked for")
    return Taken(taken, problems[:MAX_PROBLEMS])


def _entries(value: dict[str, Any]) -> Any:
    """The array of an answer: under its key, under another where there is but one, or the object itself as its only entry."""
    if KEY in value:
        return value[KEY]
    if "first_name" in value:
        return [value]
    arrays = [one for one in value.values() if isinstance(one, list)]
    return arrays[0] if len(arrays) == 1 else None


def _told_apart(name: str) -> str:
    return name_in_letters(name) + "".join(char for char in name if char.isdecimal())
