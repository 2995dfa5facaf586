"""Designs, signatures and readings of messages, for the tests beside this file."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from engine.mail.address import Address, parse
from engine.mail.message import Composed, Design, Filled, compose

DATE = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
URL = "https://lists.example/api/unsubscribe/dG9rZW4.c2ln"
MESSAGE_ID = f"<{'0123456789abcdef' * 2}@example.com>"
POSTAL = "Sample Ltd\n1 High Street\nLondon"


def sign(purpose: str, text: str) -> str:
    return hmac.new(b"key", f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def design(**fields: Any) -> Design:
    told = {"sender": "Ann <ann@example.com>", "subject": "Hi", "postal_address": POSTAL, **fields}
    return Design.of(**({"text": "Hello\n"} | told if not fields.get("html") else told))


def address(text: str) -> Address:
    found = parse(text)
    assert isinstance(found, Address), found
    return found


def composed(filled: Filled, made: Design | None = None, to: str = "bob@example.org", name: str = "", files=()) -> Composed:
    return compose(made or design(), filled, address(to), name, MESSAGE_ID, DATE, URL, files)


def opened(data: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(data)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects, part.defects
    return message
