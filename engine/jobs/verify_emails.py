"""Verify e-mails: one verdict for each address of a list, with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import pyarrow as pa
from pydantic import Field, SecretStr

from engine.durable.clock import from_ms, to_ms
from engine.durable.contract import Batch, Chart, Done, JobParams, JobRow, Plan, Snooze, Source, Tools
from engine.durable.schema import arrow_schema, carry
from engine.jobs._columns import chosen_column
from engine.mail.address import Address, Flaw, parse
from engine.mail.columns import address_column
from engine.mail.evidence import Status
from engine.mail.verdict import Evidence, verdict
from engine.verifying.ask import Ask, Found, Memory, Service
from engine.verifying.columns import VerdictRow, tallies, verdict_columns
from engine.verifying.verifier import Verifier

TYPE, TITLE, ICON = "verify-emails", "Verify e-mails", ":material/fact_check:"
PLACE = 30
SOURCE = "required"
PACED = True
CHARTS = (Chart("status", "Verdicts"), Chart("reason", "Reasons"), Chart("provider", "Providers"))
BATCH = {Service.DNS: (100, 4000, 10), Service.SMTP: (20, 1000, 50), Service.MAILSSO: (20, 1000, 50)}
"""Addresses per batch, by service: least, most, and into how many batches a list in between is cut, to show progress."""
MAX_AGE_DAYS = 36_500
DAY_MS = 86_400_000


class VerifyingParams(JobParams):
    """How to verify; what verifying types have in common."""

    secret_fields: ClassVar[frozenset[str]] = frozenset({"api_key"})
    server_secrets: ClassVar[Mapping[str, str]] = {"api_key": "mailsso_api_key"}

    service: Service = Field(
        Service.DNS,
        title="Service",
        description="dns: does the domain accept mail; smtp: asks the domain's mail server for the mailbox, sending nothing; "
        "mailsso: the paid service mails.so.",
    )
    api_key: SecretStr | None = Field(
        None,
        title="API key",
        max_length=500,
        description="Key of the service mailsso; kept encrypted until the job ends. Not needed where the server has one.",
    )
    max_age_days: int | None = Field(
        None,
        ge=0,
        le=MAX_AGE_DAYS,
        title="Age limit",
        description="Known verdicts older than so many days are not used; 0 verifies all again; every one is used when left out.",
    )

    @classmethod
    def needed_secrets(cls, stored: Mapping[str, Any]) -> frozenset[str]:
        """A key is needed for the paid service."""
        return frozenset({"api_key"}) if stored.get("service") == Service.MAILSSO else frozenset()


class Params(VerifyingParams):
    """Which addresses to verify, and how."""

    items_field: ClassVar[str | None] = "emails"

    emails: list[str | dict[str, Any] | int | float | None] | None = Field(
        None, title="Addresses", description="The addresses, or objects with an address and further columns, which come back."
    )
    column: str | None = Field(
        None,
        max_length=500,
        title="Address column",
        description="Which column of the list holds the addresses; found by name or content when left out.",
    )

    def fitted(self, source: Source) -> Self:
        """With the address column chosen. Raises `InvalidInput` where there is none."""
        expected = "one named email, or one that holds addresses"
        found = chosen_column(source, self.column, address_column, "emails", "addresses", expected)
        return self.model_copy(update={"column": found})


class EmailRow(JobRow):
    """The address as it was given."""

    email: str | None = Field(description="The address as it was given.")


class Row(VerdictRow, EmailRow):
    """An address and the verdict about it."""


def plan(params: Params, source: Source | None) -> Plan:
    """One item per row of the list."""
    rows = source.rows if source else 0
    return Plan(rows, batch_size(params.service, rows))


def batch_size(service: Service, rows: int) -> int:
    """Addresses per batch: few where they are slow or the list is short, many where the list is long."""
    least, most, parts = BATCH[service]
    return min(most, max(least, rows // parts))


async def process(batch: Batch, params: Params, tools: Tools) -> Done | Snooze:
    """Verify the rows of the batch; while answers are out, the batch is parked."""
    assert batch.rows is not None  # SOURCE is required
    given, parsed = await asyncio.to_thread(_read, batch.rows, params.column)
    wanted = {one.key: one for one in parsed if isinstance(one, Address)}
    synthetic = _synthetic(batch.rows, parsed)
    memory = Memory.of(batch.state)
    verifier: Verifier = tools.doors["verifier"]
    ask = asked(params, batch, tools.secrets, synthetic)
    answers = await verifier.check(wanted, ask, memory, tools.now, tools.save)
    if answers.until is not None:
        return Snooze(from_ms(answers.until), memory.state())
    return await asyncio.to_thread(_done, batch.rows, given, parsed, answers.found, memory.calls, to_ms(tools.now()))


def asked(
    params: VerifyingParams, batch: Batch, secrets: Mapping[str, str], synthetic: frozenset[str], patient: bool = True
) -> Ask:
    """The question as the verifier takes it; the age of a known verdict is counted from when the job was submitted."""
    since = to_ms(batch.job.created_at)
    oldest = 0 if params.max_age_days is None else since - params.max_age_days * DAY_MS
    return Ask(params.service, batch.job.id, since, oldest, secrets.get("api_key", ""), synthetic, patient)


def judged(parsed: Sequence[Address | Flaw], found: Mapping[str, Found], at: int) -> list[Found]:
    """A verdict for each address, in order; what is no address is judged here."""
    return [found[one.key] if isinstance(one, Address) else Found.of_verdict(verdict(Evidence(one)), at) for one in parsed]


def _done(
    rows: pa.Table,
    given: Sequence[str | None],
    parsed: Sequence[Address | Flaw],
    found: Mapping[str, Found],
    calls: Mapping[str, int],
    at: int,
) -> Done:
    verdicts = judged(parsed, found, at)
    columns = [pa.array(given, pa.string()), *verdict_columns(parsed, verdicts).values()]
    table = pa.Table.from_arrays(columns, schema=arrow_schema(Row))
    counted = tallies(verdicts, calls)
    unknown = counted["status"].get(Status.UNKNOWN, 0)
    return Done(carry(rows, table), len(verdicts) - unknown, unknown, counted["status"], counted)


def _read(rows: pa.Table, column: str | None) -> tuple[list[str | None], list[Address | Flaw]]:
    """The cells of the address column as text, and what they are."""
    cells = rows[column or rows.column_names[0]].to_pylist()
    given = [cell if cell is None or isinstance(cell, str) else str(cell) for cell in cells]
    return given, [parse(cell or "") for cell in given]


def _synthetic(rows: pa.Table, parsed: Sequence[Address | Flaw]) -> frozenset[str]:
    """Keys of made-up addresses: those of rows that say so, as generated lists do."""
    if "synthetic" not in rows.column_names or not pa.types.is_boolean(rows.schema.field("synthetic").type):
        return frozenset()
    marks = rows["synthetic"].to_pylist()
    return frozenset(one.key for one, mark in zip(parsed, marks, strict=True) if mark and isinstance(one, Address))
