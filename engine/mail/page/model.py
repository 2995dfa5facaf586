"""What a page gives: addresses with where they were found, and links in the order of their promise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_SIGHTINGS = 2_000
"""Addresses of one page; a page with more is a dump, not a contact page."""
MAX_LINKS = 5_000
MAX_CHARACTERS = 5 * 2**20
"""Characters of a page that are read; what follows is left out."""


class FoundAs(StrEnum):
    """How an address was found, the strongest technique first: a link to write to proves more than a decoded script."""

    MAILTO = "mailto"
    JSON_LD = "json-ld"
    MICRODATA = "microdata"
    META = "meta"
    TEXT = "text"
    ATTRIBUTE = "attribute"
    CFEMAIL = "cfemail"
    OBFUSCATED = "obfuscated"
    ENTITIES = "entities"
    REVERSED = "reversed"
    SCRIPT = "script"
    ROT13 = "rot13"
    STYLE = "style"


STRENGTH = {technique: place for place, technique in enumerate(FoundAs)}
"""The place of each technique: lower is stronger."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An address on a page.

    `email` is normalised as `engine.mail.address.parse` does, `found_as` one of `FoundAs`; `role`: an office rather than a
    person; `free`: at a provider where anyone gets a mailbox; `near`: the text beside it, "" for an office.
    """

    email: str
    found_as: str
    role: bool
    free: bool
    near: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a page of the same site: absolute canonical URL, how soon to follow it (0 = first), and what it says."""

    url: str
    priority: int
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page as read. `canonical` is its own URL, as it says itself where it names one on the same site.

    `nofollow`: its robots meta tag asks for its links not to be followed. `language` is a BCP 47 tag as given, or "".
    """

    title: str
    sightings: tuple[Sighting, ...]
    links: tuple[Link, ...]
    canonical: str
    nofollow: bool
    language: str
