"""What a bounce reports, and whether it is hard: the mailbox or its domain is gone, by code and by what the server said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from engine.mail.evidence import Answer
from engine.mail.replies import classify, enhanced_code

MAX_DIAGNOSTIC = 300
"""Characters of a diagnostic."""
_HARD = frozenset({Answer.NOT_FOUND, Answer.DISABLED, Answer.NO_MAIL})
_NO_DOMAIN = frozenset({"5.1.2", "5.4.4", "5.4.310"})
"""The domain cannot be found: RFC 3463's codes, and one of Microsoft's own. A server asked about a mailbox never says so."""
_CONTENT = re.compile(r"\bmessage contains\b|\bheaders?\b|\bcontents?\b|\battachments?\b|\bmime\b", re.IGNORECASE)
_ABOUT_CONTENT = "5.6."
"""Status codes about the message's content (RFC 3463 section 3.7)."""
_CODE = re.compile(r"(?<![\d.])[245]\d\d(?=[ \-]|$)")
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")


class ReportKind(StrEnum):
    """What came back: the mailbox is gone (hard), it could not take this message (soft), or its owner complained."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"

    @property
    def rank(self) -> int:
        """The higher, the worse."""
        return (ReportKind.SOFT, ReportKind.HARD, ReportKind.COMPLAINT).index(self)


@dataclass(frozen=True, slots=True)
class Report:
    """What a bounce says of one recipient.

    `recipient` is as written there, perhaps empty or no address where `message_id` is known; `status` an enhanced code (RFC 3463)
    or "", `diagnostic` one printable line; `message_id` that of the message which came back, with its angle brackets, and `token`
    that of the link to unsubscribe in its header (see `engine.mail.unsubscribing`).
    """

    recipient: str
    kind: ReportKind
    status: str = ""
    diagnostic: str = ""
    message_id: str | None = None
    token: str | None = None


def failure(recipient: str, status: str, diagnostic: str) -> Report:
    """The report of a message that was given up, from what the bounce says: a status code or "", and the server's words."""
    said = one_line(diagnostic)
    status = _telling(status, said)
    return Report(recipient, _kind(status, said), status, said)


def one_line(text: str, longest: int = MAX_DIAGNOSTIC) -> str:
    """The text as one printable line of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * longest]).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _telling(status: str, said: str) -> str:
    """The code that says most: one in the text where the report's own is missing or says only that it failed (x.0.0)."""
    found = _STATUS.search(status)
    own = found.group() if found else ""
    return enhanced_code(said) or own if not own or own.endswith(".0.0") else own


def _kind(status: str, said: str) -> ReportKind:
    """Hard only where the mailbox or the domain is meant: a full mailbox, a block, a policy and a delay pass.

    A reply to RCPT knows nothing of the message; one to its content, which comes back as well, may sound alike.
    """
    if status.startswith(("4", _ABOUT_CONTENT)) or _CONTENT.search(said):
        return ReportKind.SOFT
    found = _CODE.search(said)
    code = int(found.group()) if found else 550
    words = said[found.start() :] if found else said  # what stands before is about who said so
    text = words if enhanced_code(words) else f"{status} {words}"
    answer = classify(code, text)
    gone = answer in _HARD or (code >= 500 and answer is Answer.UNCLEAR and status in _NO_DOMAIN)
    return ReportKind.HARD if gone else ReportKind.SOFT
