"""Cells of an address column as people type them: one address, no address, or what must not be sent to at all."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from engine.mail.address import Address, parse

_EDGES = " \t\r\n\f\v\xa0"
LOST = "\N{REPLACEMENT CHARACTER}"
"""What stands for a character that could not be read; some server would take it for one."""
_BETWEEN = re.compile(r"""[\s,;:<>()\[\]"'|/&?=，；、]+""")
_PLAIN = re.compile(r"[^\s,;:<>()\[\]\"'|/&?=%，；、@]+@[^\s,;:<>()\[\]\"'|/&?=%，；、@]+").fullmatch


@dataclass(frozen=True, slots=True)
class Malformed:
    """No address: the row fails, the others go on."""

    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """More than one address, or characters that could reach into a message's head: nothing is sent before it is put right."""

    message: str


def read(cell: object) -> Address | Malformed | Refused:
    """The one recipient in a cell. A display name beside the address, spaces around it and `mailto:` are taken off."""
    text = "" if cell is None else str(cell).strip(_EDGES)
    if not (_PLAIN(text) and text.isascii() and text.isprintable()):
        if is_unsafe(text):
            return Refused("The field has a line break or another control character in it; write one plain address")
        if len(addresses_in(text)) > 1:
            return Refused("The field has more than one address; write one in each row")
        if LOST in text:
            return Malformed("A character of the address was lost before it came here.")
    found = parse(text)
    return found if isinstance(found, Address) else Malformed(found.message)


def flaw_of(cell: object) -> Malformed | Refused | None:
    """What is wrong with a cell; None where it has one good address."""
    found = read(cell)
    return None if isinstance(found, Address) else found


def addresses_in(text: str) -> set[str]:
    """What looks like an address in a text, in lower case, each once."""
    if "mailto:" in text.lower():
        text = unquote(text)
    pieces = (piece.strip(".").lower() for piece in _BETWEEN.split(text))
    return {piece for piece in pieces if "@" in piece.strip("@")}


def is_unsafe(text: str) -> bool:
    """Whether a text would not stay on one line of a message's head: controls, line and paragraph separators, half characters."""
    return not text.isprintable() and any(unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") for c in text)
