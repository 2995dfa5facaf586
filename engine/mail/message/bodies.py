"""Bodies of MIME parts: text in an encoding that every relay leaves alone (RFC 2045)."""

from __future__ import annotations

import base64
import binascii
import re

from engine.mail.message.headers import CRLF, MAX_LINE

_SEVEN_BIT = re.compile(r"[\t\n\x20-\x7e]*").fullmatch
_BASE64_GROWTH = 1.38
_MAX_PLAIN_LINE = MAX_LINE - 8


def text_part(text: str, subtype: str) -> tuple[str, bytes]:
    """Header lines, each with its end, and body of a text part. Lines of `text` end with a line feed, the last one too."""
    if _SEVEN_BIT(text) and _longest_line(text) <= _MAX_PLAIN_LINE:
        encoding, body = "7bit", text.replace("\n", CRLF).encode("ascii")
    else:
        encoding, body = _encoded(text.replace("\n", CRLF).encode("utf-8", "replace"))
    head = f'Content-Type: text/{subtype}; charset="utf-8"{CRLF}Content-Transfer-Encoding: {encoding}{CRLF}'
    return head, body


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76 characters (RFC 2045 section 6.8)."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _encoded(data: bytes) -> tuple[str, bytes]:
    """Quoted-printable, or base64 where that is shorter."""
    quoted = binascii.b2a_qp(data, istext=True)
    if len(quoted) <= _BASE64_GROWTH * len(data):
        return "quoted-printable", quoted
    return "base64", base64_lines(data)


def _longest_line(text: str) -> int:
    return max(map(len, text.split("\n")))
