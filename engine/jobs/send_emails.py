"""Send e-mails: one message to each recipient of a list, never the same one twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any, ClassVar, Self

import pyarrow as pa
from pydantic import Field, model_validator

from engine.durable.clock import from_ms
from engine.durable.contract import Batch, Chart, Done, JobFileParam, JobParams, JobRow, Plan, Snooze, Source, Tools
from engine.durable.delivery_rules import MADE_UP
from engine.durable.ledger import Entry, Fresh, State
from engine.durable.schema import arrow_schema, carry, category, rows_table, visible
from engine.errors import InvalidInput, Problem
from engine.jobs._columns import chosen_column
from engine.mail.address import Address
from engine.mail.columns import address_column
from engine.mail.message import BODY_COLUMN, MAX_ATTACHMENTS_BYTES, SUBJECT_COLUMN, Design, check, read
from engine.mail.message.enclosures import name_flaw
from engine.sending.parcels import Answer, Order, Pace, Parcel, Route
from engine.sending.recipients import Recipients, Why, check_rows, each_row, recipients_of
from engine.sending.sender import Sender
from engine.sending.stationery import Stationery

TYPE, TITLE, ICON = "send-emails", "Send e-mails", ":material/send:"
PLACE = 70
SOURCE = "required"
PACED = HERE = True
CHARTS = (Chart("left_out", "Left out, and why"), Chart("reply", "Refusals by code"))
SHARE = 40
"""Into how many batches a list is cut, so that progress shows; and how many recipients a batch has at most."""
MOST = 100
MAX_RATE = 100_000
MAX_TEMPLATE = 200_000
"""Characters of a template."""


class ConsentBasis(StrEnum):
    """On what ground people may be written to."""

    CONSENT = "consent"
    CUSTOMER = "customer"
    CONTRACT = "contract"
    LEGITIMATE_INTEREST = "legitimate_interest"
    INTERNAL = "internal"


class Params(JobParams):
    """What is written to whom, by whom, and how fast."""

    items_field: ClassVar[str | None] = "recipients"
    files_field: ClassVar[str | None] = "attachments"
    condenses: ClassVar[bool] = True
    once: ClassVar[frozenset[str]] = frozenset({"resends"})

    recipients: list[str | dict[str, Any] | int | float | None] | None = Field(
        None, title="Recipients", description="Objects with an address and whatever the message says about them, or addresses."
    )
    column: str | None = Field(
        None,
        max_length=500,
        title="Address column",
        description="Which column of the list holds the addresses; found by name or content when left out.",
    )
    from_: str = Field(
        alias="from", max_length=500, title="From", description="Who writes: an address, or `Name <address>`; answers go there."
    )
    reply_to: str | None = Field(None, max_length=500, title="Reply to", description="Where answers go instead.")
    subject: str | None = Field(
        None,
        max_length=1_000,
        title="Subject",
        description="With variables such as {{ first_name }}; the column `subject` of the list when left out.",
    )
    text: str | None = Field(
        None,
        max_length=MAX_TEMPLATE,
        title="Text",
        description="The message, with variables, filters and `if`; made from the HTML, or the column `body`, when left out.",
    )
    html: str | None = Field(
        None, max_length=MAX_TEMPLATE, title="HTML", description="The message as HTML; text only when left out."
    )
    attachments: list[JobFileParam] | None = Field(
        None, max_length=20, title="Attachments", description="Files for every message."
    )
    postal_address: str = Field(
        min_length=5,
        max_length=500,
        title="Postal address",
        description="Where the sender can be reached; every message says it.",
    )
    consent_basis: ConsentBasis = Field(title="Consent basis", description="Why these people may be written to.")
    rate_per_minute: int | None = Field(
        None,
        ge=1,
        le=MAX_RATE,
        title="Rate",
        description="Messages per minute at most; as fast as the relay takes them when left out.",
    )
    rate_per_domain_per_minute: int | None = Field(
        None,
        ge=1,
        le=MAX_RATE,
        title="Rate per domain",
        description="Messages per minute and recipient's domain at most; off when left out.",
    )
    transport: Route = Field(
        Route.OUTBOX,
        title="Transport",
        description="outbox: files to look at, nothing leaves; smtp: through the server's relay.",
    )
    verified_only: bool | None = Field(
        None,
        title="Verified only",
        description="Leave out rows whose status says anything but valid; yes for another job's rows when left out.",
    )
    resends: str | None = Field(
        None,
        max_length=200,
        title="Resends",
        description="The job whose messages in doubt these are; they keep their Message-ID.",
    )

    @model_validator(mode="after")
    def _writable(self) -> Self:
        """Refuse what no message can be made of; raises `InvalidInput`, which names every field."""
        design_of(self)
        _check_files(self.attachments or ())
        return self

    @classmethod
    def needed_settings(cls, stored: Mapping[str, Any]) -> Mapping[str, str]:
        """A relay is needed for what is to leave this machine."""
        return {"transport": "smtp_url"} if stored.get("transport") == Route.SMTP else {}

    def fitted(self, source: Source) -> Self:
        """With the address column chosen, and the message taken from the list's columns where it has none of its own."""
        expected = "one named email, or one that holds addresses"
        column = chosen_column(source, self.column, address_column, "recipients", "addresses", expected)
        names = source.schema.names
        if missing := self._missing(names):
            raise InvalidInput(missing)
        checked = self.verified_only if self.verified_only is not None else source.job_type is not None
        return self.model_copy(update={"column": column, "verified_only": checked})

    def _missing(self, names: Sequence[str]) -> list[Problem]:
        """Parts of the message that neither the job nor a column of the list has."""
        problems = []
        if not (self.subject or "").strip() and SUBJECT_COLUMN not in names:
            problems.append(Problem("subject", "is missing; write one, or bring a list with a column named subject"))
        if not ((self.text or "") + (self.html or "")).strip() and BODY_COLUMN not in names:
            problems.append(Problem("text", "is missing; write it as text or html, or bring a list with a column named body"))
        return problems

    def condensed(self, rows: pa.Table) -> pa.Table:
        """The list with who is left out and why. Every message is written once, so that none fails later for want of a value."""
        rows = visible(rows)
        recipients = recipients_of(rows, self.column or rows.column_names[0], bool(self.verified_only))
        design = design_of(self)
        check_rows(rows, recipients, lambda values, key: check(design, values, _PLACEHOLDER, key))
        return recipients.table(rows)


def _check_files(files: Sequence[JobFileParam]) -> None:
    problems = [Problem(f"attachments.{n}.name", flaw) for n, file in enumerate(files) if (flaw := name_flaw(file.name))]
    if sum(len(file.data) for file in files) > MAX_ATTACHMENTS_BYTES:
        problems.append(Problem("attachments", f"The files have more than {MAX_ATTACHMENTS_BYTES // 1_000_000} MB together"))
    if problems:
        raise InvalidInput(problems)


_PLACEHOLDER = "https://unsubscribe.invalid/"
"""Stands for the link while messages are only tried."""


class Row(JobRow):
    """What became of a recipient."""

    status: str = Field(**category("What became of the message: sent, failed, suppressed or in_doubt."))
    message_id: str | None = Field(description="The Message-ID of the message.")
    attempts: int = Field(description="How often it was tried.")
    smtp_code: int | None = Field(description="The code of the server's last reply.")
    smtp_reply: str | None = Field(description="The server's last reply.")
    sent_at: datetime | None = Field(description="When the server took it.")
    error: str | None = Field(description="Why it was not sent, or not at once.")


def plan(_params: Params, source: Source | None) -> Plan:
    """One item per recipient; few in a batch, as one that is deferred keeps its batch open."""
    rows = source.rows if source else 0
    return Plan(rows, min(MOST, max(1, rows // SHARE)))


async def process(batch: Batch, params: Params, tools: Tools) -> Done | Snooze:
    """Send to the recipients of the batch; while some are deferred or their moment has not come, the batch is parked."""
    assert batch.rows is not None  # SOURCE is required
    sender: Sender = tools.doors["sender"]
    stationery: Stationery = tools.doors["stationery"]
    recipients = await asyncio.to_thread(Recipients.of_table, batch.rows)
    parcels = await _parcels(batch, params, recipients, stationery)
    pace = Pace(params.rate_per_minute, params.rate_per_domain_per_minute)
    answer = await sender.send(Order(batch.job, params.transport, pace, parcels), tools.now) if parcels else Answer({})
    if answer.until is not None:
        return Snooze(from_ms(answer.until), all=answer.closed)
    return await asyncio.to_thread(_done, batch.rows, recipients, answer.entries)


async def _parcels(batch: Batch, params: Params, recipients: Recipients, stationery: Stationery) -> dict[str, Parcel]:
    """What is to be sent, by the mailbox's key."""
    assert batch.rows is not None
    design = design_of(params)
    enclosures = await stationery.enclosures(batch.job.id)
    origin = params.resends or batch.job.id
    column = params.column or batch.rows.column_names[0]
    parcels = {}
    for place, values in each_row(batch.rows):
        key, recipient = recipients.keys[place], read(values[column])
        if recipients.left_out[place] is None and isinstance(recipient, Address):
            identity = stationery.message_id(design, origin, key)
            fresh = Fresh(key, batch.start + place, recipient.domain, identity, address=recipient.key)
            written = partial(stationery.letter, design, batch.job.id, key, recipient, values, identity, enclosures)
            parcels[key] = Parcel(fresh, written, recipients.turns[place])
    return parcels


@lru_cache(maxsize=64)
def _design(
    from_: str, reply_to: str | None, subject: str | None, text: str | None, html: str | None, postal_address: str
) -> Design:
    return Design.of(sender=from_, reply_to=reply_to, subject=subject, text=text, html=html, postal_address=postal_address)


def design_of(params: Params) -> Design:
    """What is the same for every message of the job."""
    return _design(params.from_, params.reply_to, params.subject, params.text, params.html, params.postal_address)


def _done(rows: pa.Table, recipients: Recipients, entries: Mapping[str, Entry]) -> Done:
    made = [_row(recipients, place, entries) for place in range(rows.num_rows)]
    status = Counter(row["status"] for row in made)
    codes = Counter(str(row["smtp_code"]) for row in made if row.get("smtp_code") and row["status"] != State.SENT)
    left_out = Counter(out.why.value for out in recipients.left_out if out is not None)
    refused = [entry for entry in entries.values() if entry.state is State.SUPPRESSED]
    left_out.update((Why.SYNTHETIC if entry.error == MADE_UP else Why.SUPPRESSED).value for entry in refused)
    tallies = {"status": dict(status), "left_out": dict(left_out), "reply": dict(codes)}
    table = rows_table(made, arrow_schema(Row))
    sent = status.get(State.SENT, 0)
    return Done(carry(rows, table), sent, len(made) - sent, dict(status), tallies)


def _row(recipients: Recipients, place: int, entries: Mapping[str, Entry]) -> dict[str, Any]:
    out = recipients.left_out[place]
    if out is not None:
        status = State.FAILED if out.why is Why.NO_ADDRESS else State.SUPPRESSED
        return {"status": status.value, "attempts": 0, "error": out.said}
    entry = entries[recipients.keys[place]]
    return {
        "status": entry.state.value,
        "message_id": entry.message_id or None,
        "attempts": entry.attempts,
        "smtp_code": entry.smtp_code,
        "smtp_reply": entry.smtp_reply,
        "sent_at": from_ms(entry.sent_at) if entry.sent_at else None,
        "error": entry.error,
    }
