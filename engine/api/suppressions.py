"""Who gets no mail from here: search, look, add, remove, download."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from engine.api.context import Bench, Body, body_schema, parse_object, read_model
from engine.api.exports import Format, add_downloads, attachment, row_tables
from engine.api.shapes import Answer, Said, Wire
from engine.durable import bounces, suppressions
from engine.durable.clock import iso
from engine.durable.sending_tables import Bounce, Suppression
from engine.durable.suppressions import EXPORTED, MAX_HISTORY, MAX_LIMIT, MAX_REASON, Change, NewSuppression, Wanted
from engine.durable.suppressions import SuppressionSource as Source
from engine.errors import InvalidInput, Problem
from engine.mail.keys import Sorted, list_key, searched, sorted_out

router = APIRouter(prefix="/suppressions", tags=["suppressions"])
files = APIRouter(tags=["suppressions"])
_EMPTY_IS_NONE = BeforeValidator(lambda text: text or None)
_MOMENT = pa.timestamp("ms", "UTC")
_NAMES = {"shown": "address", "address": "key"}
SCHEMA = pa.schema([pa.field(_NAMES.get(name, name), _MOMENT if name.endswith("_at") else pa.string()) for name in EXPORTED])
"""The columns of a download."""
MAX_FLAWS = 100
"""Values that are no addresses, told one by one."""
NO_ADDRESS = "is not an e-mail address"
NO_REASON = "added through the API"
NO_REASON_REMOVED = "removed through the API"
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_REASON)]


def _wanted(
    q: Annotated[str | None, _EMPTY_IS_NONE, Query(description="a part of the address; a whole one in any spelling")] = None,
    source: Annotated[Source | None, _EMPTY_IS_NONE, Query(description="by what way it came onto the list")] = None,
) -> Wanted:
    return Wanted(searched(q) if q else None, source)


def _key(
    address: Annotated[str, Path(description="the address, percent-encoded where needed, in any spelling", max_length=1_000)],
) -> str:
    return list_key(address) or address.lower()


Filters = Annotated[Wanted, Depends(_wanted)]
Key = Annotated[str, Depends(_key)]


class SuppressionShape(Wire):
    """An address that gets no mail from here."""

    address: str = Field(description="as it was given")
    key: str = Field(description="one text per mailbox: lower case, and without the dots and the tag that Gmail ignores")
    reason: str
    source: str = Field(description="unsubscribe, bounce, complaint, manual, import or api")
    job_id: str | None = Field(description="the job it came from; it may be gone")
    created_at: str | None
    updated_at: str | None


class ChangeShape(Wire):
    """The address was put on the list, or taken off it."""

    at: str | None
    action: str = Field(description="added or removed")
    reason: str
    source: str
    job_id: str | None
    job_type: str | None = Field(description="null when the job is gone")


class BounceShape(Wire):
    """A report that a message did not arrive."""

    at: str | None
    kind: str = Field(description="hard: gone for good; soft: not this time")
    status: str = Field(description="enhanced status code (RFC 3463), where the report has one")
    diagnostic: str = Field(description="what the server said")
    message_id: str | None
    job_id: str | None


class WithHistory(SuppressionShape):
    """An address that gets no mail, how that came, and what bounced."""

    history: list[ChangeShape] = Field(description=f"newest first, at most {MAX_HISTORY}")
    bounces: list[BounceShape] = Field(description="newest first, at most 50")


class SuppressionList(Answer):
    """A page of the list, newest first."""

    suppressions: list[SuppressionShape]
    count: int = Field(description="addresses on this page")
    next_cursor: str | None
    total: int = Field(description="addresses that fit the filters, on all pages")


class SuppressionAnswer(Answer):
    """One address."""

    suppression: WithHistory


class Flawed(Wire):
    """A value that is no address."""

    field: str
    message: str


class Added(Said):
    """What became of the addresses; those that were on the list already keep their first reason."""

    added: int = Field(description="new on the list")
    known: int = Field(description="on the list already, or given twice")
    not_addresses: int = Field(description="values that are no addresses; left out")
    details: list[Flawed] = Field(description=f"what is wrong with them, at most {MAX_FLAWS}")


class SuppressionBody(Wire):
    """Whom to write to no more: one address, or many."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", hide_input_in_errors=True)

    address: str | None = Field(None, max_length=1_000, description="one address, in any spelling")
    addresses: list[str | None] | None = Field(None, description="or a list of them, of any length")
    reason: Reason = Field("", description="why, for whoever wonders later")


@router.get("", summary="Search the suppressed addresses")
def page(
    bench: Bench,
    wanted: Filters,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, _EMPTY_IS_NONE, Query()] = None,
) -> SuppressionList:
    """Keyset paging: pass `nextCursor` as `cursor`; null means the end."""
    found = suppressions.page(bench.database, wanted, limit, cursor)
    shapes = [SuppressionShape(**_plain(entry)) for entry in found.entries]
    return SuppressionList(suppressions=shapes, count=len(shapes), next_cursor=found.cursor, total=found.total)


@router.get("/{address:path}", summary="A suppressed address with its history and bounces")
def one(bench: Bench, address: Key) -> SuppressionAnswer:
    """404 when it is not on the list: then it gets mail."""
    entry = suppressions.get(bench.database, address)
    history = [_change(change) for change in suppressions.history(bench.database, address)]
    reports = [_bounce(bounce) for bounce in bounces.of(bench.database, address)]
    return SuppressionAnswer(suppression=WithHistory(history=history, bounces=reports, **_plain(entry)))


@router.post("", status_code=201, openapi_extra=body_schema(SuppressionBody), summary="Suppress an address, or many")
def add(bench: Bench, body: Body, response: Response) -> Added:
    """From now on they get no mail, from jobs that run already neither. 201 when any is new to the list, else 200."""
    asked = read_model(parse_object(body), SuppressionBody)
    found = _sorted(asked)
    reason, source = asked.reason or NO_REASON, Source.API
    items = [NewSuppression(key, shown, reason, source) for key, shown in found.known.items()]
    added = suppressions.add(bench.database, items)
    response.status_code = 201 if added else 200
    bad = len(found.flaws)
    known = len(asked.addresses or [asked.address]) - bad - added
    message = f"{added:,} added, {known:,} known already" + (f", {bad:,} are no addresses" if bad else "")
    return Added(message=message, added=added, known=known, not_addresses=bad, details=_flawed(found))


@router.delete("/{address:path}", summary="Take an address off the list")
def remove(
    bench: Bench,
    address: Key,
    reason: Annotated[Reason, Query(description="why; kept in its history")] = "",
) -> Said:
    """It may get mail again. 404 when it is not on the list."""
    suppressions.get(bench.database, address)
    suppressions.remove(bench.database, [address], reason or NO_REASON_REMOVED, Source.API)
    return Said(message="The address may get mail again")


def _sorted(asked: SuppressionBody) -> Sorted:
    """The addresses of a body.

    Raises:
        InvalidInput: there is none.
    """
    if (asked.address is None) == (asked.addresses is None):
        raise InvalidInput.of("address", "give either address, or addresses as a list")
    found = sorted_out(asked.addresses if asked.addresses is not None else [asked.address])
    if found.known:
        return found
    if asked.address is not None:
        raise InvalidInput.of("address", NO_ADDRESS)
    problems = [Problem(flaw.field, flaw.message) for flaw in _flawed(found)]
    raise InvalidInput(problems or [Problem("addresses", "is empty; give at least one address")])


def _flawed(found: Sorted) -> list[Flawed]:
    # What exactly is wrong would show a part of the value.
    return [Flawed(field=f"addresses.{place}", message=NO_ADDRESS) for place in list(found.flaws)[:MAX_FLAWS]]


def _plain(entry: Suppression) -> dict[str, Any]:
    same = {name: getattr(entry, name) for name in ("reason", "source", "job_id")}
    moments = {name: iso(getattr(entry, name)) for name in ("created_at", "updated_at")}
    return {"address": entry.shown, "key": entry.address, **same, **moments}


def _change(change: Change) -> ChangeShape:
    same = {name: getattr(change, name) for name in ("action", "reason", "source", "job_id", "job_type")}
    return ChangeShape(at=iso(change.at), **same)


def _bounce(bounce: Bounce) -> BounceShape:
    same = {name: getattr(bounce, name) for name in ("kind", "status", "diagnostic", "message_id", "job_id")}
    return BounceShape(at=iso(bounce.at), **same)


def _download(extension: str, form: Format) -> Callable[..., Response]:
    def download(bench: Bench, wanted: Filters) -> Response:
        body = form.write(row_tables(suppressions.stream(bench.database, wanted), SCHEMA), SCHEMA)
        return attachment(form, extension, f"suppressions-{datetime.now(UTC):%Y-%m-%d}", body)

    return download


add_downloads(files, "/suppressions", "suppressions", "Every suppressed address that fits the filters,", _download)
