"""Rows without a model: the brief as it is, put into a letter, and people put together from lists of names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from engine.mail.drafting.addresses import MADE_UP
from engine.mail.drafting.contacts import Contact
from engine.mail.drafting.drafts import Draft
from engine.mail.drafting.prompts import Length, Style
from engine.mail.names import Gender
from engine.mail.synthesis import Recipe, Synthesis

TEMPLATE_MODEL = "template, not AI"
"""What such rows and jobs call their model."""
_SUBJECT_CHARS = 78
_GREETINGS = ("Hello", "Dear", "Good day")
_CLOSINGS = ("Best regards", "Kind regards", "With best wishes")
_FIRST = ("firstname", "vorname", "prenom", "givenname", "first", "forename")
_WHOLE = ("name", "fullname", "contact", "contactname")
_COMPANY = ("company", "companyname", "organisation", "organization", "firma", "employer", "account")
_TITLES = (
    "Head of Purchasing", "Operations Manager", "Office Manager", "Managing Director", "Marketing Manager", "Head of Sales",
    "Facility Manager", "Project Manager", "Head of IT", "Finance Director", "Customer Service Lead", "Product Manager",
)  # fmt: skip
_HEADS = (
    "Amber", "Birch", "Cedar", "Delta", "Elm", "Falcon", "Granite", "Harbour", "Indigo", "Juniper", "Keystone", "Linden",
    "Meridian", "Nordic", "Oak", "Pinewood", "Quarry", "Ridge", "Silver", "Tidal", "Upland", "Violet", "Willow", "Zephyr",
)  # fmt: skip
_TAILS = ("Works", "Trading", "Logistics", "Partners", "Systems", "Supplies", "Studio", "Foods", "Energy", "Textiles", "Tools")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")


@dataclass(frozen=True, slots=True)
class Invented:
    """A contact and its address."""

    contact: Contact
    email: str


def template_contacts(brief: str, count: int, seed: int, start: int, stop: int) -> list[Invented]:
    """Contacts `start` to `stop` (exclusive) of `count`: no two have the same name, and so none the same address."""
    people = _people().rows(count, seed % 2**53, start, stop).to_pylist()
    return [_invented(brief, person, item * 31 + seed) for item, person in enumerate(people, start)]


def _invented(brief: str, person: Mapping[str, str], number: int) -> Invented:
    head, tail = _HEADS[number % len(_HEADS)], _TAILS[number // len(_HEADS) % len(_TAILS)]
    contact = Contact.model_construct(
        first_name=person["first_name"],
        last_name=person["last_name"],
        title=_TITLES[number % len(_TITLES)],
        company=f"{head} {tail}",
        note=f"From lists of names, for: {_cut(_first_sentence(brief), 200)}",
    )
    return Invented(contact, f"{person['email'].partition('@')[0]}@{head}-{tail}.{MADE_UP}".lower())


def template_draft(brief: str, row: Mapping[str, object], number: int, style: Style) -> Draft:
    """The brief as a letter to the person of the row; `number` chooses among a few greetings."""
    name, company = _told(row, _FIRST) or _told(row, _WHOLE), _told(row, _COMPANY)
    greeting = f"{_GREETINGS[number % len(_GREETINGS)]} {name}," if name else "Hello,"
    about = f"I am writing to you at {company}." if company and style.length != Length.SHORT else ""
    paragraphs = [greeting, about, brief.strip(), _CLOSINGS[number % len(_CLOSINGS)]]
    subject = _cut(_first_sentence(brief).rstrip(".!?: "), _SUBJECT_CHARS)
    return Draft.model_construct(subject=subject or "Hello", body="\n\n".join(filter(None, paragraphs)))


def _told(row: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The first cell under one of these headings, in one line of bounded length."""
    cells = {re.sub(r"[^a-z]", "", column.lower()): value for column, value in reversed(list(row.items()))}
    for name in names:
        text = " ".join(str(cells.get(name) or "").split())
        if text:
            return text[:80]
    return ""


def _first_sentence(text: str) -> str:
    return " ".join(_SENTENCE_END.split(text.strip(), maxsplit=1)[0].split())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


@cache
def _people() -> Synthesis:
    """Names of several countries; the pattern shows both, so that no person comes twice."""
    pattern = "{firstname}.{lastname}"
    return Synthesis(Recipe(((MADE_UP, 1.0),), ("US", "GB", "DE", "FR"), tuple(Gender), (25, 60), 2025, pattern, False))
