"""What a list is of: the columns to choose, what is counted in them, and how a submit names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from engine.durable.schema import visible
from engine.errors import InvalidInput
from engine.scraping.people import Columns
from engine.uploads import MATTERS, Expects
from pages.parts import glance
from pages.parts.glance import Counts

Chosen: TypeAlias = Mapping[str, str | None]
"""The column chosen for each role."""
Sample: TypeAlias = Mapping[str, Sequence[object]]
_COMES_BACK = "The first row holds the headings; every column comes back in the result"


@dataclass(frozen=True, slots=True)
class Single:
    """A list of addresses or of domains: one column of it is chosen."""

    expects: Expects
    example: str
    hint: str
    counting: Callable[[pa.ChunkedArray], Counts]
    file_hint: str = _COMES_BACK
    condensed: bool = False
    """Whether the job keeps the list in a column of its own."""
    typed: bool = False
    """Whether such a list can be typed into a table."""
    needed: str = "column"
    """The role that has to have a column."""
    param: str = "column"
    """The parameter of a job that names the columns."""
    column_hint: str = "The likeliest one comes first; any can be chosen"

    @property
    def label(self) -> str:
        """Over the field for pasted text."""
        return MATTERS[self.expects].many.capitalize()

    @property
    def roles(self) -> Mapping[str, str]:
        """The columns to choose, by role, with the labels of their fields."""
        return {"column": f"{MATTERS[self.expects].one.capitalize()} column"}

    @property
    def nothing(self) -> str:
        """What to say where nothing in the chosen columns can be used."""
        return f"Nothing in this column looks like {MATTERS[self.expects].sign}."

    def likely(self, names: Sequence[str], sample: Sample) -> Mapping[str, Sequence[str]]:
        """The columns that each role plausibly has, the best first."""
        return {"column": MATTERS[self.expects].likely(names, sample)}

    def count(self, table: pa.Table, chosen: Chosen) -> Counts:
        """What the chosen columns hold; the needed one is among them."""
        return self.counting(table.column(chosen["column"]))

    def said(self, counts: Counts) -> Mapping[str, int]:
        """The counts as they are shown; those of 0 are left out, but for the first."""
        matter = MATTERS[self.expects]
        return {
            f"different {matter.many}": counts.distinct,
            "repeated": counts.plausible - counts.distinct,
            "empty cells": counts.empty,
            f"not {matter.sign}": counts.rows - counts.empty - counts.plausible,
        }

    def params(self, chosen: Chosen) -> dict[str, Any]:
        """The choice as a parameter of the job."""
        return {"column": chosen["column"]}

    def chosen(self, params: Mapping[str, Any]) -> Chosen:
        """The choice that a job's parameters name."""
        return {"column": params.get("column")}

    def kept(self, table: pa.Table) -> pa.Table:
        """Of the rows that a job kept those columns that belong to the list."""
        return table.select([MATTERS[self.expects].one]) if self.condensed else visible(table)


class Recipients(Single):
    """A list of addresses that are written to; who of them is, and who is not, is told by the page itself."""

    @property
    def label(self) -> str:
        """Over the field for pasted text."""
        return "Recipients"

    def said(self, counts: Counts) -> Mapping[str, int]:
        """Nothing more than the number of rows."""
        return {}


class People:
    """A list of people: several columns together tell who it is, and at which domain; the same as for Single otherwise."""

    expects: Expects = "people"
    label = "People"
    example = "first name,last name,domain\nAnn,Hill,example.com\nBen,Ray,example.org"
    hint = "First name, last name and domain in each row, as from a spreadsheet; headings are optional"
    file_hint = _COMES_BACK
    condensed = True
    typed = True
    needed = "domain"
    param = "columns"
    column_hint = "A full name serves where first and last name are empty; rows without a name stand for their domain"
    nothing = "No row has a domain in this column."
    roles: Mapping[str, str] = {
        "first_name": "First name",
        "last_name": "Last name",
        "full_name": "Full name",
        "domain": "Domain",
    }

    def likely(self, names: Sequence[str], sample: Sample) -> Mapping[str, Sequence[str]]:
        """Names are told by their headings, the domain by its values too."""
        absent = "\0"
        told = Columns(domain=absent).fitted([*names, absent], {}).model_dump(exclude={"domain"})
        if told["first_name"] and told["last_name"]:
            told["full_name"] = None
        left = [name for name in names if name not in told.values()]
        with suppress(InvalidInput):  # where none is told, the visitor says which
            told["domain"] = Columns().fitted(left, sample).domain
        if "domain" not in told and "domain" in left:
            told["domain"] = "domain"
        return {role: [name] for role, name in told.items() if name is not None}

    def count(self, table: pa.Table, chosen: Chosen) -> Counts:
        """See Single."""
        names = [name for role in self.roles if role != "domain" and (name := chosen.get(role))]
        return glance.people(table, chosen["domain"] or "", names)

    def said(self, counts: Counts) -> Mapping[str, int]:
        """See Single."""
        return {
            "different people": counts.distinct - counts.more["domains without a name"],
            "repeated": counts.plausible - counts.distinct,
            **counts.more,
            "without a domain": counts.rows - counts.empty - counts.plausible,
            "empty rows": counts.empty,
        }

    def params(self, chosen: Chosen) -> dict[str, Any]:
        """See Single."""
        # A column that the visitor left empty is none, and not to be looked for.
        told = {role: name if role == "domain" else name or "" for role, name in chosen.items()}
        return {"columns": Columns(**told).model_dump(by_alias=True, exclude_none=True)}

    def chosen(self, params: Mapping[str, Any]) -> Chosen:
        """See Single."""
        columns = Columns.model_validate(params.get("columns") or {})
        return {role: name or None for role, name in columns}

    def kept(self, table: pa.Table) -> pa.Table:
        """See Single."""
        return visible(table)


Topic: TypeAlias = Single | People
ADDRESSES = Single(
    "addresses",
    "ann@example.com\nBen Hill <ben@example.org>\n\nor rows copied from a spreadsheet, with their headings",
    "One address per line, or rows with headings; up to about 80,000 addresses",
    glance.addresses,
)
RECIPIENTS = Recipients(
    "addresses",
    "email,first_name,company\nann@example.com,Ann,Harbour Ltd\nben@example.org,Ben,Quiet & Co",
    "One address per line, or rows with headings: each column can be written into the message",
    glance.addresses,
    "The first row holds the headings; each column can be written into the message",
)
DOMAINS = Single(
    "domains",
    "example.com\nhttps://www.example.org/contact\nintranet.example:8080",
    "Domains, host:port or URLs, one per line, or rows with headings; each site is read once",
    glance.domains,
    "The first row holds the headings; only the chosen column is used",
    condensed=True,
)
PEOPLE = People()
