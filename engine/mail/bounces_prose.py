"""Bounces written for people: the recipients that `flufl.bounce` finds in them, and what is said of each."""

from __future__ import annotations

import logging
import re
from email import message_from_bytes

from engine.mail.bounces_kind import Report, failure
from engine.mail.bounces_mime import Mail, plain_text

MAX_LINES, MAX_LINE = 1_000, 500
"""Lines, and characters of a line, that are searched: there are some hundred patterns for each."""
REACH = 8
"""Lines after an address that may say why."""
_DAEMON = re.compile(
    r"mailer-?daemon|mail-?daemon|postmaster|mdaemon|mail(er)?[ -]?deliver(y|er)|delivery (sub)?system"
    r"|mail (administrator|system)",
    re.IGNORECASE,
)
_EDGE = "=_copy_of_what_came_back"
_AUTOMATIC = ("x-autoreply", "x-autorespond", "x-autoresponder")
_REPLY = re.compile(r"\s*(re|aw|sv|rv|antw)\s*:", re.IGNORECASE)
_RETURNED = re.compile(r"-{3,}.{0,80}(original|copy|returned|message|headers?)|^\s*(return-path|received):", re.IGNORECASE)


def told(mail: Mail) -> list[Report]:
    """The recipients that a mail system says in words it could not reach; none where no mail system wrote the message."""
    if not _from_a_system(mail):
        return []
    text = plain_text(mail)
    lines = [line[:MAX_LINE] for line in text.splitlines()[:MAX_LINES]]
    return [failure(address, "", _said_of(address, lines)) for address in sorted(_recipients(mail, lines))]


def _from_a_system(mail: Mail) -> bool:
    """Whether a mail system wrote this, rather than a person or what answers for one (RFC 3834 section 3.1)."""
    if any(mail.get(name) for name in _AUTOMATIC) or (mail.get("precedence") or "").strip().lower() == "auto_reply":
        return False
    if mail.get("x-failed-recipients"):
        return True
    sender = (mail.get("from") or "").strip()
    return (sender == "<>" or _DAEMON.search(sender) is not None) and not _REPLY.match(mail.get("subject") or "")


def _recipients(mail: Mail, lines: list[str]) -> set[str]:
    """What the library finds, in a copy that is short enough for its patterns; it may raise anything."""
    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)  # it logs each pattern it tries
    try:
        _, found = all_failures(_copy(mail, lines))
    except Exception:
        found = frozenset()
    named = [*(address.decode("utf-8", "replace") for address in found), *(mail.get("x-failed-recipients") or "").split(",")]
    return {address for text in named if "@" in (address := text.strip().strip("<>")) and address.isprintable()}


def _copy(mail: Mail, lines: list[str]) -> Mail:
    """The message, short, with the structure and the headers by which the library tells mail systems apart."""
    names = ("from", "to", "subject", "x-mailer", "x-failed-recipients", "date")
    head = [f"{name}: {' '.join(value.split())[:MAX_LINE]}" for name in names if (value := mail.get(name))]
    part = ["content-type: text/plain; charset=utf-8", "content-description: notification", "", *lines]
    if mail.get_content_maintype() == "multipart":
        part = [f'content-type: {mail.get_content_type()}; boundary="{_EDGE}"', "", f"--{_EDGE}", *part, f"--{_EDGE}--"]
    return message_from_bytes("\n".join([*head, *part]).encode("utf-8", "replace"))


def _said_of(address: str, lines: list[str]) -> str:
    """What follows the address in the text; without it there, how the text begins."""
    folded = address.casefold()
    for number, line in enumerate(lines):
        if folded in line.casefold():
            return _passage([line[line.casefold().index(folded) + len(folded) :], *lines[number + 1 : number + REACH]])
    return _passage(lines[:REACH])


def _passage(lines: list[str]) -> str:
    """The lines up to where the returned message begins."""
    kept: list[str] = []
    for line in lines:
        if _RETURNED.search(line):
            break
        kept.append(line.strip().lstrip(">:").strip())
    return " ".join(filter(None, kept))
