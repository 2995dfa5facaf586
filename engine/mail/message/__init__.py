"""Messages: templates filled from rows, and the bytes that are sent.

`plain_text`, `previews` and `signing` are imported where they are needed: their libraries would slow every start of an engine.
"""

from __future__ import annotations

from engine.mail.message.composing import Composed, Sign, compose, message_id
from engine.mail.message.designs import ALWAYS, BODY_COLUMN, SUBJECT_COLUMN, Design
from engine.mail.message.enclosures import MAX_ATTACHMENTS_BYTES, enclosed
from engine.mail.message.filling import Filled, check, fill
from engine.mail.message.flaws import RowFlaw, TemplateFlaw
from engine.mail.message.mailboxes import Mailbox, MailboxFlaw
from engine.mail.message.recipients import Malformed, Refused, flaw_of, read
from engine.mail.message.templates import Template
from engine.mail.message.values import variable_of

__all__ = [
    "ALWAYS",
    "BODY_COLUMN",
    "MAX_ATTACHMENTS_BYTES",
    "SUBJECT_COLUMN",
    "Composed",
    "Design",
    "Filled",
    "Mailbox",
    "MailboxFlaw",
    "Malformed",
    "Refused",
    "RowFlaw",
    "Sign",
    "Template",
    "TemplateFlaw",
    "check",
    "compose",
    "enclosed",
    "fill",
    "flaw_of",
    "message_id",
    "read",
    "variable_of",
]
