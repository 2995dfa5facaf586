"""Addresses of invented people: built from their names, in a zone that nobody can ever register."""

from __future__ import annotations

import re

from anyascii import anyascii

from engine.mail.romanize import spelled

MADE_UP = "synthetic.example"
"""The zone of invented addresses; nothing under `.example` exists or ever will (RFC 2606 section 2)."""
_NAME_CHARS = 27
"""Of each name in a local part: with dot and nine digits within the limit of 64 (RFC 5321 section 4.5.3.1.1)."""
_LABEL_CHARS = 60
_NOT_LABEL = re.compile(r"[^a-z0-9]+")


def is_made_up(text: str) -> bool:
    """Whether an address or a domain lies in the zone of invented ones; a display name and brackets do not matter."""
    domain = text.strip().rstrip(">").rpartition("@")[2].strip().rstrip(".").lower()
    return domain == MADE_UP or domain.endswith(f".{MADE_UP}")


def name_in_letters(name: str) -> str:
    """A name in the letters a to z, as an address has it; "" where nothing of it can be spelled so."""
    return spelled(name, "")[:_NAME_CHARS]


def made_up_address(first_name: str, last_name: str, company: str, number: int | None = None) -> str:
    """`first.last@company.synthetic.example`; `number` is appended to tell namesakes apart.

    Both names must have letters (see `name_in_letters`). Without a number no two people with other names share an address.
    """
    local = f"{name_in_letters(first_name)}.{name_in_letters(last_name)}{'' if number is None else number}"
    label = _NOT_LABEL.sub("-", anyascii(company).lower()).strip("-")[:_LABEL_CHARS].strip("-")
    return f"{local}@{label or 'company'}.{MADE_UP}"
