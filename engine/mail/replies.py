"""What a mail server's reply to RCPT means for the recipient: rules about us first, then those about the mailbox."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from engine.mail import phrases
from engine.mail.evidence import Answer

_ENHANCED = re.compile(r"(?<![\d.])[245]\.[0-7]\.\d{1,3}(?!\.?\d)")
_ADDRESS = re.compile(r"<[^<>\s]*>|[^\s<>\"'(),;:\[\]]*@[^\s<>\"'(),;:\[\]]*")
_LINK = re.compile(r"https?://\S+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b\S*")
_MAX_TEXT = 2_000


def enhanced_code(text: str) -> str:
    """The first enhanced status code (RFC 3463) in a reply, "" without one. Network addresses and version numbers are none."""
    found = _ENHANCED.search(text)
    return found.group() if found else ""
