"""Generate verified e-mails: synthetic addresses that are verified until as many valid ones are found as wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from pydantic import Field, ValidationInfo, field_validator

from engine.durable.clock import from_ms, to_ms
from engine.durable.contract import Batch, Chart, Done, Plan, Snooze, Source, Tools
from engine.durable.schema import arrow_schema
from engine.jobs import generate_emails as generate
from engine.jobs.verify_emails import VerifyingParams, asked, batch_size, judged
from engine.mail.address import Address, Flaw, parse
from engine.mail.evidence import Status
from engine.verifying.ask import Found, Memory
from engine.verifying.columns import VerdictRow, tallies, verdict_columns
from engine.verifying.verifier import Verifier

TYPE, TITLE, ICON = "generate-verified-emails", "Generate verified", ":material/new_releases:"
PLACE = 20
PACED = True
CHARTS = (Chart("status", "Verdicts of all candidates"), Chart("reason", "Reasons"), Chart("provider", "Providers"))
SMALLEST = 5
"""The least candidates that go into one batch."""


class Params(VerifyingParams, generate.Params):
    """What addresses to generate, and how to verify them."""

    count: int = Field(100, ge=1, le=1_000_000, title="Count", description="How many verified (valid) addresses are wanted.")
    max_candidates: int | None = Field(
        None,
        ge=1,
        le=generate.MAX_COUNT,
        title="Most candidates",
        description="How many addresses to try at most; when left out, twenty for each one wanted, as far as so many exist.",
    )

    @field_validator("max_candidates")
    @classmethod
    def _enough(cls, most: int | None, info: ValidationInfo) -> int | None:
        if most is not None and most < info.data.get("count", 0):
            raise ValueError("must be at least count: every verified address is a candidate first")
        return most


class Row(VerdictRow, generate.Row):
    """A synthetic address, its person and the verdict."""


def plan(params: Params, _source: Source | None) -> Plan:
    """Candidates until `count` are valid. Raises `SpaceTooSmall` where fewer distinct addresses exist than wanted."""
    generate.plan(params, None)
    batch = min(batch_size(params.service, params.count), max(SMALLEST, -(-params.count // 2)))
    return Plan(candidates(params), batch, goal=params.count)


def candidates(params: Params) -> int:
    """How many addresses may be tried."""
    wanted = params.max_candidates or min(20 * params.count, generate.MAX_COUNT)
    return min(wanted, generate.prepared(params).capacity)


async def process(batch: Batch, params: Params, tools: Tools) -> Done | Snooze:
    """Verify the batch's candidates; the valid ones are its rows."""
    rows = await asyncio.to_thread(_generated, params, batch)
    parsed = [parse(text) for text in rows["email"].to_pylist()]
    wanted = {one.key: one for one in parsed if isinstance(one, Address)}
    memory = Memory.of(batch.state)
    verifier: Verifier = tools.doors["verifier"]
    ask = asked(params, batch, tools.secrets, frozenset(wanted), patient=False)
    answers = await verifier.check(wanted, ask, memory, tools.now, tools.save)
    if answers.until is not None:
        return Snooze(from_ms(answers.until), memory.state())
    return _done(rows, parsed, judged(parsed, answers.found, to_ms(tools.now())), memory.calls)


def _generated(params: Params, batch: Batch) -> pa.Table:
    return generate.prepared(params).rows(batch.items, params.seed or 0, batch.start, batch.stop)


def _done(rows: pa.Table, parsed: Sequence[Address | Flaw], found: Sequence[Found], calls: Mapping[str, int]) -> Done:
    own = verdict_columns(parsed, found)
    columns: dict[str, Any] = {name: rows[name] for name in rows.column_names} | own
    schema = arrow_schema(Row)
    table = pa.table({name: columns[name] for name in schema.names}).cast(schema)
    valid = table.filter(pa.array([one.status == Status.VALID for one in found]))
    counted = tallies(found, calls)
    return Done(valid, valid.num_rows, table.num_rows - valid.num_rows, counted["status"], counted)
