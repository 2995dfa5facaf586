"""Bounce messages: which recipients a message did not reach, and whether they are gone for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.mail.bounces_kind import Report, ReportKind
from engine.mail.bounces_mime import Unreadable, original_id, original_token, parsed
from engine.mail.bounces_prose import told
from engine.mail.bounces_status import complaints, failures

__all__ = ["MOST", "Report", "ReportKind", "reports"]

MOST = 100
"""Recipients of one bounce message that are read; a message of ours has one."""


def reports(message: bytes) -> list[Report]:
    """What a message that came back says of recipients; nothing where it is no bounce, or none that can be read.

    Delivery reports (RFC 3464, RFC 6533) and complaints (RFC 5965) are read as such, the prose of other mail systems as
    `flufl.bounce` knows it. Notices of delays and deliveries, automatic replies and ordinary mail are no bounces. Never raises,
    whatever the message; the time is bounded, as only its beginning is read (`engine.mail.bounces_mime.LONGEST`).
    """
    try:
        return _unique(_read(message))
    except Unreadable:
        return []
    except Exception:
        # The standard library's parser and flufl.bounce promise nothing for broken mail, and anybody may send it to us.
        return []


def _read(message: bytes) -> Sequence[Report]:
    mail = parsed(message)
    found = complaints(mail)
    if found is None:
        found = failures(mail)
    if found is None:
        found = told(mail)
    known, token = (original_id(mail), original_token(mail)) if found else (None, None)
    return [replace(report, message_id=known, token=token) for report in found if "@" in report.recipient or known]


def _unique(found: Sequence[Report]) -> list[Report]:
    """Each recipient once; what is worse for it counts."""
    worst: dict[str, Report] = {}
    for report in found:
        name = report.recipient.casefold()
        if name not in worst or report.kind.rank > worst[name].kind.rank:
            worst[name] = report
    return list(worst.values())[:MOST]
