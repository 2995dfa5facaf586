"""AI-generate: invented contacts from a brief, or a draft for each row of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pydantic import Field

from engine.durable.contract import Batch, Chart, Done, JobRow, Plan, Snooze, Source, Tools
from engine.durable.schema import category
from engine.durable.spending import Caps
from engine.errors import Held, InvalidInput
from engine.jobs._ai_params import USUAL_COUNT, Mode, Params, Provider, secret_name, told_columns, usual_provider
from engine.jobs._writing import Memory, Service, converse, spent_tally
from engine.jobs._written import OK, ContactsTask, DraftTask, done
from engine.mail.drafting import (
    TEMPLATE_MODEL,
    Prompt,
    contacts_prompt,
    draft_prompt,
    initials_of,
    template_contacts,
    template_draft,
)
from engine.net.llm import Llms

__all__ = [
    "USUAL_COUNT",
    "Mode",
    "Params",
    "Provider",
    "Row",
    "plan",
    "process",
    "prompt_of",
    "row_of",
    "told_columns",
    "usual_provider",
]
TYPE, TITLE, ICON = "ai-generate", "AI-generate", ":material/edit_note:"
PLACE = 60
SOURCE = "optional"
CHARTS = (Chart("status", "Rows"), Chart("attempts", "Requests for a row", "line"), Chart("error", "Why rows failed"))
CONTACTS_AT_ONCE = 5
"""Contacts that one request asks for; a small model gets one at a time. Drafts have a request each."""
TEMPLATES_AT_ONCE = 500


class Outcome(JobRow):
    """Who wrote a row, and whether it can be used."""

    provider: str = Field(**category("openai, anthropic, local or template, which is no AI."))
    model: str | None = Field(**category("The model that answered."))
    attempts: int = Field(description="Requests that were made for this row; 0 where a cap was reached before.")
    status: str = Field(**category("ok or failed."))
    error: str | None = Field(description="Why there is nothing, in a sentence.")


class ContactColumns(JobRow):
    """A person who does not exist."""

    first_name: str | None = Field(description="First name.")
    last_name: str | None = Field(description="Surname.")
    email: str | None = Field(description="Built from the names, under synthetic.example: nobody can ever have it.")
    title: str | None = Field(description="Job title.")
    company: str | None = Field(description="A company that does not exist.")
    note: str | None = Field(description="Why this person fits the brief.")


class DraftColumns(JobRow):
    """A message. Its texts are values: sent as `{{ subject }}` and `{{ body }}` they are not rendered again."""

    subject: str | None = Field(description="Subject of the message, one line.")
    body: str | None = Field(description="Text of the message.")


class ContactRow(Outcome, ContactColumns):
    """A contact."""


class DraftRow(Outcome, DraftColumns):
    """A draft."""


class Row(Outcome, DraftColumns, ContactColumns):
    """The columns of contacts, those of drafts, and what both have."""


def row_of(stored: Mapping[str, Any]) -> type[JobRow]:
    """Each mode has its own columns."""
    return DraftRow if stored.get("mode") == Mode.DRAFTS else ContactRow


def plan(params: Params, source: Source | None) -> Plan:
    """One item per contact or per row of the list. Raises `InvalidInput` without a list for drafts, or where a cap is too low."""
    if params.mode is Mode.DRAFTS and source is None:
        remedy = "give contacts, or another job's id as fromJob"
        raise InvalidInput.of("contacts", f"is missing; a draft is written for each row of a list: {remedy}")
    items = source.rows if source else params.count or USUAL_COUNT
    found = Plan(items, _batch(params))
    if params.provider is not Provider.TEMPLATE and found.batches > params.max_requests:
        said = f"is too low: this needs {found.batches:,} requests at least; raise it, or write fewer"
        raise InvalidInput.of("maxRequests", said)
    return found


def _batch(params: Params) -> int:
    if params.provider is Provider.TEMPLATE:
        return TEMPLATES_AT_ONCE
    return CONTACTS_AT_ONCE if params.mode is Mode.CONTACTS and params.provider is not Provider.LOCAL else 1


async def process(batch: Batch, params: Params, tools: Tools) -> Done | Snooze:
    """Write the rows of the batch; what could not be written says why."""
    if params.provider is Provider.TEMPLATE:
        return await asyncio.to_thread(_templated, batch, params)
    memory = Memory.of(batch.state)
    task = _task(batch, params, memory)
    reason = await converse(task, memory, _service(batch, params, tools), batch, tools)
    if isinstance(reason, Snooze):
        return reason
    who = {"provider": str(params.provider), "model": memory.model or params.model or ""}
    rows = task.rows(reason, memory.requests)
    return done(row_of({"mode": params.mode}), batch.rows, rows, who, spent_tally(memory))


def prompt_of(params: Params, row: Mapping[str, object] | None) -> Prompt:
    """What the first request of a job with these parameters asks; `row` is the first of the list."""
    if params.mode is Mode.DRAFTS:
        told = {name: value for name, value in (row or {}).items() if params.columns is None or name in params.columns}
        return draft_prompt(params.brief, told, params.style)
    count = min(_batch(params), params.count or USUAL_COUNT)
    return contacts_prompt(params.brief, [initials_of(item, params.seed or 0) for item in range(count)], params.style)


def _task(batch: Batch, params: Params, memory: Memory) -> ContactsTask | DraftTask:
    if params.mode is Mode.CONTACTS:
        return ContactsTask.of(params.brief, params.style, params.seed or 0, (batch.start, batch.stop), memory.kept)
    return DraftTask.of(params.brief, params.style, _told(batch.rows, params)[0], memory.kept)


def _service(batch: Batch, params: Params, tools: Tools) -> Service:
    llms: Llms = tools.doors["llm"]
    llm = llms.services.get(str(params.provider))
    if llm is None:
        raise Held(f"This engine is not set up for the provider {params.provider}. Set it up as the web process is, then resume.")
    return Service(
        llm=llm,
        spending=tools.doors["spending"],
        caps=Caps(params.max_requests, params.max_tokens),
        key=tools.secrets.get(secret_name(params.provider), ""),
        model=params.model or "",
        temperature=params.temperature,
        seed=((params.seed or 0) + batch.start) % 2**31,
    )


def _told(rows: pa.Table | None, params: Params) -> list[dict[str, object]]:
    """What the model is told of each row."""
    assert rows is not None  # drafts are planned with a list only
    told: list[dict[str, object]] = rows.select(list(params.columns or rows.column_names)).to_pylist()
    return told


def _templated(batch: Batch, params: Params) -> Done:
    """Rows by rules; nobody is asked."""
    seed, items = params.seed or 0, range(batch.start, batch.stop)
    rows: list[dict[str, Any]]
    if params.mode is Mode.CONTACTS:
        people = template_contacts(params.brief, batch.items, seed, batch.start, batch.stop)
        rows = [{**one.contact.model_dump(), "email": one.email} for one in people]
    else:
        told = _told(batch.rows, params)
        drafts = [template_draft(params.brief, row, seed + item, params.style) for item, row in zip(items, told, strict=True)]
        rows = [draft.model_dump() for draft in drafts]
    who = {"provider": str(params.provider), "model": TEMPLATE_MODEL}
    return done(row_of({"mode": params.mode}), batch.rows, [{**row, "attempts": 1, "status": OK} for row in rows], who, {})
