"""Composing: one recipient's message as the bytes that are sent (RFC 5322, MIME), the same ones every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from engine.mail.address import Address
from engine.mail.message.bodies import text_part
from engine.mail.message.designs import Design
from engine.mail.message.filling import Filled
from engine.mail.message.flaws import RowFlaw
from engine.mail.message.headers import CRLF, mailbox_field, text_field, token_field
from engine.mail.message.mailboxes import MAX_NAME
from engine.mail.message.recipients import is_unsafe

Sign = Callable[[str, str], str]
"""A signature of (purpose, text) that only this installation can make: at least 128 bits, hexadecimal."""
_PURPOSE = "message"


@dataclass(frozen=True, slots=True)
class Composed:
    """A message as it goes over the wire: lines end with CRLF. `utf8`: the relay must know SMTPUTF8 (RFC 6531)."""

    data: bytes
    utf8: bool


def message_id(sign: Sign, job: str, recipient: str, domain: str) -> str:
    """The Message-ID, with its angle brackets, of a job's message to a recipient: always the same, and not to be guessed."""
    signature = sign(_PURPOSE, f"{job}\0{recipient}")
    return f"<{signature[:32]}@{domain}>"


def compose(
    design: Design,
    filled: Filled,
    recipient: Address,
    name: str,
    message_id: str,
    date: datetime,
    unsubscribe_url: str,
    files: Sequence[bytes] = (),
) -> Composed:
    """The message to one recipient. `name` is shown with the address unless empty; `date` has a time zone.

    `files`: what `enclosed` made of the attachments.

    Raises:
        RowFlaw: the name can't stand in a message's head.
        ValueError: the link or the Message-ID can't.
    """
    if is_unsafe(name) or len(name) > MAX_NAME:
        raise RowFlaw(f"The recipient's name is one line of at most {MAX_NAME} characters, without control characters")
    fields = [
        mailbox_field("From", design.sender.address, design.sender.name),
        mailbox_field("To", recipient, " ".join(name.split())),
        text_field("Subject", filled.subject),
        f"Date: {format_datetime(date)}",
        token_field("Message-ID", message_id),
    ]
    if design.reply_to is not None:
        fields.insert(1, mailbox_field("Reply-To", design.reply_to.address, design.reply_to.name))
    fields += [
        token_field("List-Unsubscribe", f"<{unsubscribe_url}>"),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",  # RFC 8058 section 3.1
        "MIME-Version: 1.0",
    ]
    head, body = _content(filled, message_id, files)
    data = (CRLF.join(fields) + CRLF + head + CRLF).encode() + body
    return Composed(data, _needs_utf8(design, recipient))


def _needs_utf8(design: Design, recipient: Address) -> bool:
    """Whether an address can't be written in ASCII; domains always can."""
    reply = design.reply_to
    return recipient.smtputf8 or design.sender.address.smtputf8 or (reply is not None and reply.address.smtputf8)


def _content(filled: Filled, key: str, files: Sequence[bytes]) -> tuple[str, bytes]:
    """Header lines and body: text alone, text and HTML as alternatives, and files beside them where there are any."""
    head, body = text_part(filled.text, "plain")
    texts = [body]
    if filled.html is not None:
        html_head, html_body = text_part(filled.html, "html")
        texts.append(html_body)
        parts = [_part(head, body), _part(html_head, html_body)]
        head, body = _multipart("alternative", _boundary(key, "a", texts), parts)
    if files:
        head, body = _multipart("mixed", _boundary(key, "m", texts), [_part(head, body), *files])
    return head, body


def _part(head: str, body: bytes) -> bytes:
    return (head + CRLF).encode() + body


def _boundary(key: str, kind: str, texts: Sequence[bytes]) -> str:
    """A line that stands in none of the texts (RFC 2046 section 5.1.1). Files are base64, which has no `_`."""
    boundary = f"=_{kind}_{''.join(c for c in key.partition('@')[0] if c.isalnum())[:40]}"
    while any(b"--" + boundary.encode() in text for text in texts):
        boundary += "_"
    return boundary


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> tuple[str, bytes]:
    """The lines before a boundary belong to it, so that a part which ends with a line end keeps it."""
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return f'Content-Type: multipart/{kind};{CRLF} boundary="{boundary}"{CRLF}', body
