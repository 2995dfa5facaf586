"""Designs: what is the same for all messages of a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from engine.errors import InvalidInput, Problem
from engine.mail.message.flaws import TemplateFlaw
from engine.mail.message.inlining import MAX_TAGS
from engine.mail.message.mailboxes import Mailbox, MailboxFlaw
from engine.mail.message.recipients import is_unsafe
from engine.mail.message.templates import Template

SUBJECT_COLUMN, BODY_COLUMN = "subject", "body"
"""The columns of a list of drafts, read where a message has no words of its own."""


@dataclass(frozen=True, slots=True)
class Design:
    """Who writes what, and where the sender can be reached; at least one of `text` and `html` is there."""

    sender: Mailbox
    reply_to: Mailbox | None
    subject: Template
    text: Template | None
    html: Template | None
    postal_address: str

    @classmethod
    def of(
        cls,
        *,
        sender: str,
        reply_to: str | None = None,
        subject: str | None = None,
        text: str | None = None,
        html: str | None = None,
        postal_address: str,
    ) -> Self:
        """The design of what people wrote. A subject left out is the column `subject`; a text without HTML, the column `body`.

        Raises:
            InvalidInput: all that is wrong, under `from`, `replyTo`, `subject`, `text`, `html`, `postalAddress`.
        """
        read = _Reading()
        made_sender = read.mailbox("from", sender)
        made_reply = read.mailbox("replyTo", reply_to) if reply_to and reply_to.strip() else None
        made_subject = read.subject(subject)
        has_html = bool(html and html.strip())
        made_text = None if has_html and not (text and text.strip()) else read.template("text", text, BODY_COLUMN)
        made_html = read.template("html", html, BODY_COLUMN) if has_html else None
        address = read.postal(postal_address)
        if read.problems or made_sender is None or made_subject is None:
            raise InvalidInput(read.problems)
        return cls(made_sender, made_reply, made_subject, made_text, made_html, address)

    @property
    def names(self) -> frozenset[str]:
        """All variables that its templates read."""
        return frozenset().union(*(template.names for template in (self.subject, self.text, self.html) if template))

    @property
    def required(self) -> frozenset[str]:
        """The variables that every row must have, beyond those that are always there."""
        needed = frozenset().union(*(template.required for template in (self.subject, self.text, self.html) if template))
        return needed - ALWAYS


ALWAYS = frozenset({"email", "postal_address", "unsubscribe_url"})
"""The variables that every message has, whatever its list says."""


class _Reading:
    """Reads the fields one by one and keeps what is wrong."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def mailbox(self, field: str, text: str) -> Mailbox | None:
        try:
            return Mailbox.of(text)
        except MailboxFlaw as flaw:
            self.problems.append(Problem(field, str(flaw)))
            return None

    def template(self, field: str, source: str | None, column: str) -> Template | None:
        words = source if source and source.strip() else f"{{{{ {column} }}}}"
        if field == "html" and words.count("<") > MAX_TAGS:
            self.problems.append(Problem(field, f"The HTML has more than {MAX_TAGS:,} tags"))
            return None
        try:
            return Template.of(words, html=field == "html")
        except TemplateFlaw as flaw:
            self.problems.append(Problem(field, str(flaw)))
            return None

    def subject(self, source: str | None) -> Template | None:
        line = (source or "").strip()
        if is_unsafe(line):
            self.problems.append(Problem("subject", "A subject is one line, without control characters"))
            return None
        return self.template("subject", line, SUBJECT_COLUMN)

    def postal(self, text: str) -> str:
        address = "\n".join(line for line in (" ".join(line.split()) for line in text.strip().splitlines()) if line)
        if not address or any(is_unsafe(line) for line in address.split("\n")):
            self.problems.append(Problem("postalAddress", "Write the address at which the sender can be reached by post"))
        return address
