"""Unsubscribe links: who wants no more mail, and whose mail it was, in a token that only this installation can make."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable

PATH = "/api/unsubscribe/"
MAX_TOKEN = 2_000
_PURPOSE = "unsubscribe"
_HEX_DIGITS = 32
"""128 bits of the signature."""

Sign = Callable[[str, str], str]
"""A signature of (purpose, text), hexadecimal, of at least 32 digits."""


def token(sign: Sign, address_key: str, job_id: str) -> str:
    """The token of a recipient and a job, safe in a URL. It has the address in it, readable to whoever has the link."""
    return _token(sign, address_key, job_id)


def read(sign: Sign, token: str) -> tuple[str, str] | None:
    """The recipient's key and the job of a token; None for whatever this installation did not make."""
    coded = token.partition(".")[0] if len(token) <= MAX_TOKEN else ""
    try:
        content = base64.b64decode(coded.encode("ascii") + b"=" * (-len(coded) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        return None
    job_id, _, address_key = content.partition("\0")
    made = _token(sign, address_key, job_id)
    return (address_key, job_id) if hmac.compare_digest(made.encode(), token.encode("utf-8", "replace")) else None


def link(base_url: str, token: str) -> str:
    """The address that one click posts to (RFC 8058), and that shows a page."""
    return f"{base_url.rstrip('/')}{PATH}{token}"


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _token(sign: Sign, address_key: str, job_id: str) -> str:
    content = f"{job_id}\0{address_key}"
    signature = bytes.fromhex(sign(_PURPOSE, content)[:_HEX_DIGITS])
    return f"{_coded(content.encode())}.{_coded(signature)}"
