"""Mailboxes: an address and the name that is shown with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from engine.mail.address import Address
from engine.mail.message.recipients import read

MAX_NAME = 200
"""Characters of a display name."""


class MailboxFlaw(ValueError):
    """The text is not one mailbox; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox (RFC 5322 section 3.4); `name` may be empty."""

    address: Address
    name: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """The mailbox in a text such as `Ann Smith <ann@example.com>`.

        Raises:
            MailboxFlaw: it has no address, several ones, a bad one, or control characters.
        """
        found = read(text)
        if not isinstance(found, Address):
            raise MailboxFlaw(found.message)
        name = _name(text)
        if len(name) > MAX_NAME:
            raise MailboxFlaw(f"The name has more than {MAX_NAME} characters")
        return cls(found, name)


def _name(text: str) -> str:
    """What stands before the angle bracket, without its quotes."""
    head, bracket, _ = text.rpartition("<")
    name = head.strip() if bracket else ""
    if len(name) >= 2 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return " ".join(name.split())
