"""Reports made for programs: delivery status (RFC 3464, RFC 6533) and complaints of recipients (RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import getaddresses

from engine.mail.bounces_kind import Report, ReportKind, failure, one_line
from engine.mail.bounces_mime import Mail, blocks, own_parts

_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_FEEDBACK_PART = "message/feedback-report"
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
"""Feedback types (RFC 5965 section 7.3) of people who want no more of this; others are about authentication or viruses."""
_HEX = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_ADDRESS_TYPES = frozenset({"", "rfc822", "utf-8", "unknown", "local", "smtp"})
_TYPE = re.compile(r"([A-Za-z0-9-]{1,40})\s*;\s*(.*)", re.DOTALL)
MAX_RECIPIENT = 320
"""Characters of an address (RFC 5321 section 4.5.3.1: 64, an at sign, 255)."""


def failures(mail: Mail) -> list[Report] | None:
    """The recipients that a delivery report gives up; None where the message is no such report.

    A notice of a delay, a delivery or a hand-over is a report without any. `Original-Recipient` counts before `Final-Recipient`:
    it is whom the sender meant.
    """
    groups = [block for part in own_parts(mail) if part.get_content_type() in _STATUS_PARTS for block in blocks(part)]
    about = [block for block in groups if "final-recipient" in block or "original-recipient" in block or "action" in block]
    if about:
        return [_failure(block) for block in about if _failed(block)]
    return [] if _report_type(mail) in ("disposition-notification", "feedback-report") else None


def complaints(mail: Mail) -> list[Report] | None:
    """The recipients who complained; None where the message is no feedback report."""
    feedback = [part for part in own_parts(mail) if part.get_content_type() == _FEEDBACK_PART]
    if not feedback:
        return None
    said = {name: value for block in reversed(blocks(feedback[0])) for name, value in block.items()}
    kind = said.get("feedback-type", "").strip().lower()
    if kind not in _COMPLAINTS:
        return []
    recipient = _address(said.get("original-rcpt-to") or said.get("removal-recipient", "")) or _only_recipient(mail)
    return [Report(recipient, ReportKind.COMPLAINT, "", one_line(f"complaint: {kind} {said.get('user-agent', '')}"))]


def _failed(block: Mapping[str, str]) -> bool:
    """Whether the recipient was given up; OpenSMTPD writes `error`, and some write nothing but a status."""
    action = block.get("action", "").strip().lower()
    return action.startswith(("fail", "error")) if action else block.get("status", "").strip().startswith("5")


def _failure(block: Mapping[str, str]) -> Report:
    recipient = _address(block.get("original-recipient", "")) or _address(block.get("final-recipient", ""))
    typed = _TYPE.fullmatch(block.get("diagnostic-code", "").strip())
    diagnostic = typed.group(2) if typed else block.get("diagnostic-code", "")
    return failure(recipient, block.get("status", ""), diagnostic)


def _address(field: str) -> str:
    """The address in `rfc822; jane@example.com` (RFC 3464 section 2.3.1) or `utf-8; …` (RFC 6533 section 3), "" in others."""
    typed = _TYPE.fullmatch(field.strip())
    kind, text = (typed.group(1).lower(), typed.group(2)) if typed else ("", field)
    if kind not in _ADDRESS_TYPES:
        return ""
    text = text.strip()
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1]
    if kind == "utf-8":
        text = _HEX.sub(_character, text)
    return text.strip() if len(text) <= MAX_RECIPIENT and text.isprintable() else ""


def _character(found: re.Match[str]) -> str:
    number = int(found.group(1), 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def _report_type(mail: Mail) -> str:
    """What kind of `multipart/report` (RFC 6522) this is; "" for other messages."""
    if mail.get_content_type() != "multipart/report":
        return ""
    return str(mail.get_param("report-type", "") or "").strip().lower()


def _only_recipient(mail: Mail) -> str:
    """Whom the message complained of went to, where that is one address."""
    for part in own_parts(mail):
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers") and (head := blocks(part)):
            found = [address for _, address in getaddresses([head[0].get("to", "")]) if "@" in address]
            return found[0] if len(found) == 1 and len(found[0]) <= MAX_RECIPIENT else ""
    return ""
