"""What a batch of ai-generate has a model write: contacts or one draft, and the rows that come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from engine.durable.contract import Done, JobRow, Json
from engine.durable.schema import arrow_schema, carry
from engine.mail.drafting import (
    Contact,
    Draft,
    Prompt,
    Style,
    Unreadable,
    address_of,
    contacts_prompt,
    draft_prompt,
    initials_of,
    json_in,
    read_contacts,
    read_draft,
)
from engine.mail.drafting.texts import addresses_in

OK, FAILED = "ok", "failed"
_REASONS = {
    "The answers could not": "unusable answers",
    "The model refused": "refused by the model",
    "The content filter": "content filter",
    "The cap of": "cap reached",
}
"""How reasons begin, and what a chart calls them."""


@dataclass
class ContactsTask:
    """Invent the people of items `start` to `stop` (exclusive). `found` maps an item to the person and the attempt."""

    brief: str
    style: Style
    seed: int
    start: int
    stop: int
    found: dict[int, tuple[Contact, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, brief: str, style: Style, seed: int, span: tuple[int, int], kept: Json) -> ContactsTask:
        """With the people that were kept."""
        found = {int(item): (Contact(**values), attempt) for item, (values, attempt) in (kept or {}).items()}
        return cls(brief, style, seed, *span, found)

    @property
    def missing(self) -> list[int]:
        """Items without a person."""
        return [item for item in range(self.start, self.stop) if item not in self.found]

    @property
    def open(self) -> bool:
        """See `Task.open`."""
        return bool(self.missing)

    def prompt(self) -> Prompt:
        """See `Task.prompt`."""
        return contacts_prompt(self.brief, [initials_of(item, self.seed) for item in self.missing], self.style)

    def read(self, text: str, attempt: int) -> list[str]:
        """See `Task.read`."""
        try:
            value = json_in(text, "contacts")
        except Unreadable as error:
            return [str(error)]
        taken = read_contacts(value, self.missing, {contact.person for contact, _ in self.found.values()})
        self.found |= {item: (contact, attempt) for item, contact in taken.contacts.items()}
        return taken.problems

    def kept(self) -> Json:
        """See `Task.kept`."""
        return {str(item): [contact.model_dump(), attempt] for item, (contact, attempt) in self.found.items()}

    def rows(self, reason: str, attempts: int) -> list[dict[str, Any]]:
        """A row for each item: its person, or why there is none."""
        rows = []
        for item in range(self.start, self.stop):
            if item in self.found:
                contact, attempt = self.found[item]
                email = address_of(item, self.seed, contact.first_name, contact.last_name, contact.company)
                rows.append({**contact.model_dump(), "email": email, "attempts": attempt, "status": OK})
            else:
                rows.append({"attempts": attempts, "status": FAILED, "error": reason})
        return rows


@dataclass
class DraftTask:
    """Write to the person of one row; `row` is what the model is told of it."""

    brief: str
    style: Style
    row: Mapping[str, object]
    found: tuple[Draft, int] | None = None

    @classmethod
    def of(cls, brief: str, style: Style, row: Mapping[str, object], kept: Json) -> DraftTask:
        """With the draft that was kept."""
        return cls(brief, style, row, (Draft(**kept[0]), kept[1]) if kept else None)

    @property
    def open(self) -> bool:
        """See `Task.open`."""
        return self.found is None

    def prompt(self) -> Prompt:
        """See `Task.prompt`."""
        return draft_prompt(self.brief, self.row, self.style)

    def read(self, text: str, attempt: int) -> list[str]:
        """See `Task.read`."""
        allowed = addresses_in(self.brief)
        for value in self.row.values():
            allowed |= addresses_in(str(value))
        try:
            draft = read_draft(json_in(text, "subject"), allowed)
        except Unreadable as error:
            return [str(error)]
        if isinstance(draft, list):
            return draft
        self.found = (draft, attempt)
        return []

    def kept(self) -> Json:
        """See `Task.kept`."""
        return [self.found[0].model_dump(), self.found[1]] if self.found else None

    def rows(self, reason: str, attempts: int) -> list[dict[str, Any]]:
        """The one row."""
        if self.found is None:
            return [{"attempts": attempts, "status": FAILED, "error": reason}]
        draft, attempt = self.found
        return [{**draft.model_dump(), "attempts": attempt, "status": OK}]


def done(
    row: type[JobRow],
    source: pa.Table | None,
    rows: Sequence[Mapping[str, Any]],
    who: Mapping[str, str],
    spent: Mapping[str, int],
) -> Done:
    """The outcome of a batch: beside the input's columns, where there is a list, one row for each item. `who` wrote them."""
    schema = arrow_schema(row)
    table = pa.Table.from_pylist([{name: {**who, **one}.get(name) for name in schema.names} for one in rows], schema=schema)
    status = dict(Counter(str(one["status"]) for one in rows))
    tallies = {
        "status": status,
        "attempts": dict(Counter(str(one["attempts"]) for one in rows)),
        "error": dict(Counter(_short(one["error"]) for one in rows if one.get("error"))),
        "spent": dict(spent),
    }
    good = status.get(OK, 0)
    return Done(carry(source, table) if source is not None else table, good, len(rows) - good, status, tallies)


def _short(reason: str) -> str:
    """A reason as a chart counts it: in few words, without what differs from row to row."""
    known = next((short for begin, short in _REASONS.items() if reason.startswith(begin)), "")
    return known or reason.removeprefix("The AI service ").partition(":")[0].partition(" (HTTP")[0].partition(".")[0][:60]
