"""What goes onto the wire for a letter: its envelope as commands, its message with dots stuffed; and what cannot go at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.net.submission import Letter, Receipt, Result

DOT = b".\r\n"
_PATH = re.compile(r'(?:[^\x00-\x20\x7f<>"]+|"(?:[^\x00-\x1f\x7f"\\]|\\[\x20-\x7e])*")@[^\x00-\x20\x7f<>"@]+')
"""A mailbox as it stands between angle brackets: nothing in it ends them, or the line."""


def unfit(letter: Letter) -> Receipt | None:
    """Why a letter can never be handed over, None when it can: its addresses would be read as commands, or its lines as none.

    RFC 5321 section 2.3.8: CR and LF only as CRLF; a lone one lets servers disagree where a message ends.
    """
    if not _PATH.fullmatch(letter.recipient) or (letter.sender and not _PATH.fullmatch(letter.sender)):
        return Receipt(Result.FAILED, error="an address of the envelope cannot be written in a command")
    if not letter.utf8 and not (letter.sender.isascii() and letter.recipient.isascii()):
        return Receipt(Result.FAILED, error="an address of the envelope is not ASCII")
    ends = letter.data.count(b"\r\n")
    if ends != letter.data.count(b"\n") or ends != letter.data.count(b"\r"):
        return Receipt(Result.FAILED, error="the message has a line that does not end in CRLF")
    return None


def unwanted(letter: Letter, features: Mapping[str, str]) -> Receipt | None:
    """Why a server with these features (of its answer to EHLO) would not take the letter, None when it may."""
    if letter.utf8 and "SMTPUTF8" not in features:
        return Receipt(Result.FAILED, error="the relay does not take international addresses (SMTPUTF8)")
    limit = features.get("SIZE", "")
    # RFC 1870 section 4: no number, or zero, is no limit.
    if limit.isdigit() and 0 < int(limit) < len(letter.data):
        return Receipt(Result.FAILED, error=f"the message has {len(letter.data)} bytes, and the relay takes {int(limit)} at most")
    return None


def mail(letter: Letter, features: Mapping[str, str]) -> str:
    """The MAIL command with the parameters of RFC 1870, 6152 and 6531 that the server offers and the letter needs."""
    command = f"MAIL FROM:<{letter.sender}>"
    if "SIZE" in features:
        command += f" SIZE={len(letter.data)}"
    if "8BITMIME" in features and (letter.utf8 or not letter.data.isascii()):
        command += " BODY=8BITMIME"
    return f"{command} SMTPUTF8" if letter.utf8 else command


def recipient(letter: Letter) -> str:
    """The RCPT command."""
    return f"RCPT TO:<{letter.recipient}>"


def stuffed(data: bytes, size: int) -> Iterator[bytes]:
    """The message as it is sent after DATA, but for the final dot (RFC 5321 section 4.5.2); its last line is ended.

    In pieces of about `size` bytes: a message may be large, and many are on the way.
    """
    for start in range(0, len(data), size):
        # With the line end that a dot here may follow.
        before = data[max(0, start - 2) : start] if start else b"\r\n"
        yield (before + data[start : start + size]).replace(b"\r\n.", b"\r\n..")[len(before) :]
    if data and not data.endswith(b"\r\n"):
        yield b"\r\n"
