"""The parts of a message that came back: read leniently, within bounds, and never into the message that it returns."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.message import Message
from email.policy import Compat32
from typing import TypeAlias

from engine.mail.unsubscribing import PATH

LONGEST = 256 * 1024
"""Bytes of a message that are read: a report comes before the message that it returns."""
MAX_BOUNDARIES = 32
"""Multiparts that are read; the parser compares each line with the boundary of each that is open."""
MAX_HEADER = 4_000
"""Characters of a header field; the parser takes quadratic time for long ones."""
MAX_PARTS = 100
_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)
_CHARSET = re.compile(r"us-ascii|utf-?8|iso-8859-\d+|windows-12\d\d|koi8-[ru]|gb\w+|big5|shift_jis|euc-\w+|iso-2022-\w+")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
_QUOTED_ID = re.compile(r"^[ \t>|]*message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
_LINK = re.compile(re.escape(PATH) + r"([A-Za-z0-9_.-]+)")
_BLANK = re.compile(r"\n[ \t]*\r?\n")
_NAME = re.compile(r"[!-9;-~]{1,80}")
_TAG = re.compile(r"<[^<>]*>")
_REPORTS = ("message/delivery-status", "message/global-delivery-status", "message/feedback-report")

Mail: TypeAlias = "Message[str, str]"


class Unreadable(ValueError):
    """A message whose structure cannot be read."""


class _Lenient(Compat32):
    """The parser's old policy, with header fields cut to a bearable length and read as UTF-8 (RFC 6532)."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MAX_HEADER]

    def header_fetch_parse(self, name: str, value: str) -> str:
        return _text(str(value).encode("utf-8", "surrogateescape"))


def parsed(data: bytes) -> Mail:
    """The message in these bytes, as far as it is read.

    Raises:
        Unreadable: it is nested too deeply.
    """
    head = data[:LONGEST]
    for number, found in enumerate(_BOUNDARY.finditer(head)):
        if number == MAX_BOUNDARIES:
            head = head[: found.start()]
            break
    try:
        return message_from_bytes(head, policy=_Lenient())
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error


def own_parts(mail: Mail) -> Iterator[Mail]:
    """The parts of a message, itself included; what is in an attached message is none of them."""
    waiting, seen = [mail], 0
    while waiting and seen < MAX_PARTS:
        part, seen = waiting.pop(0), seen + 1
        yield part
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting += [each for each in inner if isinstance(each, Message)]


def blocks(part: Mail) -> list[Mapping[str, str]]:
    """The groups of fields of a report (RFC 3464 section 2.1), by lower-case name; of a field given twice, the first."""
    found = (fields(block) for block in _BLANK.split(_flat(part)))
    return [block for block in found if block]


def fields(block: str) -> dict[str, str]:
    """The header fields of a text, unfolded, by lower-case name; lines that are none are left out."""
    found: dict[str, str] = {}
    last = ""
    for line in block.splitlines():
        if line[:1] in (" ", "\t"):
            if last and len(found[last]) < MAX_HEADER:
                found[last] += " " + line.strip()[:MAX_HEADER]
            continue
        name, colon, value = line.partition(":")
        last = name.rstrip().lower() if colon and _NAME.fullmatch(name.rstrip()) else ""
        if last in found:
            last = ""
        elif last:
            found[last] = value.strip()[:MAX_HEADER]
    return found


def plain_text(mail: Mail) -> str:
    """What a reader is told: the plain text, else the HTML without its tags."""
    texts: dict[str, list[str]] = {}
    for part in own_parts(mail):
        texts.setdefault(part.get_content_type(), []).append(_flat(part) if part.get_content_maintype() == "text" else "")
    if texts.get("text/plain"):
        return "\n".join(texts["text/plain"])
    return _TAG.sub(" ", "\n".join(texts.get("text/html", ())))


def original_id(mail: Mail) -> str | None:
    """The Message-ID of the message that came back, from its headers as they are attached or quoted; None without one."""
    for header in _attached(mail):
        if found := _MESSAGE_ID.search(header.get("message-id", "")):
            return found.group()
    for part in own_parts(mail):
        if part.get_content_maintype() != "multipart" and (quoted := _QUOTED_ID.search(_flat(part))):
            return quoted.group(1)
    return None


def original_token(mail: Mail) -> str | None:
    """The token in the List-Unsubscribe field (RFC 2369) of the message that came back, unchecked; None without one."""
    links = (_LINK.search(header.get("list-unsubscribe", "")) for header in _attached(mail))
    return next((found.group(1) for found in links if found), None)


def _attached(mail: Mail) -> Iterator[dict[str, str]]:
    """The header fields of the messages that are attached, or of which only the header is."""
    for part in own_parts(mail):
        kind = part.get_content_type()
        attached = part.get_content_maintype() == "message" and kind not in _REPORTS
        if part is not mail and (attached or kind == "text/rfc822-headers"):
            yield fields(_BLANK.split(_flat(part).lstrip("\r\n"), maxsplit=1)[0])


def _flat(part: Mail) -> str:
    """The content of a part as text, decoded; of one that the parser took for messages, their headers and contents again."""
    payload = part.get_payload()
    text = "\n\n".join(map(_whole, payload)) if isinstance(payload, list) else str(payload)
    data = text.encode("utf-8", "surrogateescape")
    encoding = (part.get("content-transfer-encoding") or "").strip().lower()
    if encoding == "quoted-printable":
        data = binascii.a2b_qp(data)
    elif encoding == "base64":
        try:
            data = b64decode(data)
        except ValueError:
            data = b""
    return _text(data, (part.get_content_charset() or "").lower())


def _whole(message: object) -> str:
    """A message as text: its headers, as they were written, a blank line, its content."""
    if not isinstance(message, Message):
        return str(message)
    headers = "\n".join(f"{name}: {value}" for name, value in message.raw_items())
    payload = message.get_payload()
    return f"{headers}\n\n{payload}" if isinstance(payload, str) else headers


def _text(data: bytes, charset: str = "utf-8") -> str:
    try:
        return data.decode(charset if _CHARSET.fullmatch(charset) else "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
