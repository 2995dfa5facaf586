"""What is known of addresses: search, look at one with its history, download, forget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from engine.api.context import Bench
from engine.api.exports import Format, add_downloads, attachment, row_tables
from engine.api.shapes import Answer, Said, Wire
from engine.durable import verdict_pages
from engine.durable.clock import iso
from engine.durable.tables import VerifiedEmail
from engine.durable.verdict_pages import EXPORTED, MAX_HISTORY, MAX_LIMIT, Line, Wanted
from engine.errors import InvalidInput
from engine.mail.address import Address, parse
from engine.mail.evidence import Level, Reason, Status

router = APIRouter(prefix="/verified-emails", tags=["verified e-mails"])
files = APIRouter(tags=["verified e-mails"])
_EMPTY_IS_NONE = BeforeValidator(lambda text: text or None)
_MOMENT = pa.timestamp("ms", "UTC")
_KINDS = {
    "score": pa.int64(),
    "verification_count": pa.int64(),
    "last_verified_at": _MOMENT,
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
}
SCHEMA = pa.schema([pa.field(name, _KINDS.get(name, pa.string())) for name in EXPORTED])
"""The columns of a download."""
MAX_DAYS = 36_500


def _wanted(
    q: Annotated[str | None, _EMPTY_IS_NONE, Query(description="a part of the address; `@example.com` is a domain")] = None,
    status: Annotated[Status | None, _EMPTY_IS_NONE, Query()] = None,
    reason: Annotated[Reason | None, _EMPTY_IS_NONE, Query()] = None,
    level: Annotated[Level | None, _EMPTY_IS_NONE, Query(description="how far it was checked")] = None,
) -> Wanted:
    return Wanted(q, status, reason, level)


def _key(
    address: Annotated[str, Path(description="the address, percent-encoded where needed, in any case", max_length=1_000)],
) -> str:
    parsed = parse(address)
    return parsed.key if isinstance(parsed, Address) else address.lower()


Filters = Annotated[Wanted, Depends(_wanted)]
Key = Annotated[str, Depends(_key)]


class VerifiedShape(Wire):
    """What is known of an address."""

    address: str = Field(description="in lower case, its domain in ASCII: one text per mailbox")
    status: str = Field(description="valid, risky, invalid or unknown")
    reason: str
    level: str = Field(description="how far it was checked: syntax, domain or mailbox")
    score: int = Field(description="0 to 100")
    verification_data: dict[str, Any] = Field(description="what else was found: mail exchanger, provider, catch-all, detail …")
    last_verified_at: str | None
    verification_count: int
    job_id: str | None = Field(description="the job whose verdict this is; it may be gone")
    created_at: str | None
    updated_at: str | None


class LineShape(Wire):
    """A verification of an address."""

    at: str | None
    job_id: str | None = Field(description="the job that asked; it may be gone")
    job_type: str | None = Field(description="null when the job is gone")
    service: str
    status: str
    reason: str
    level: str


class WithHistory(VerifiedShape):
    """What is known of an address, and every verification of it."""

    history: list[LineShape] = Field(description=f"newest first, at most {MAX_HISTORY:,}")


class VerifiedList(Answer):
    """A page of addresses, newest verified first."""

    verified_emails: list[VerifiedShape]
    count: int = Field(description="addresses on this page")
    next_cursor: str | None
    total: int = Field(description="addresses that fit the filters, on all pages")


class VerifiedAnswer(Answer):
    """One address."""

    verified_email: WithHistory


class Forgotten(Answer):
    """How many addresses were forgotten."""

    deleted: int


@router.get("", summary="Search the verified addresses")
def page(
    bench: Bench,
    wanted: Filters,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, _EMPTY_IS_NONE, Query()] = None,
) -> VerifiedList:
    """Keyset paging: pass `nextCursor` as `cursor`; null means the end. Domains are found by an index."""
    found = verdict_pages.page(bench.database, wanted, limit, cursor)
    shapes = [VerifiedShape(**_plain(email)) for email in found.emails]
    return VerifiedList(verified_emails=shapes, count=len(shapes), next_cursor=found.cursor, total=found.total)


@router.get("/{address:path}", summary="An address with its history")
def one(bench: Bench, address: Key) -> VerifiedAnswer:
    """404 when it was never verified."""
    found = verdict_pages.get(bench.database, address)
    lines = [_line(line) for line in verdict_pages.history(bench.database, address)]
    return VerifiedAnswer(verified_email=WithHistory(history=lines, **_plain(found)))


@router.delete("/{address:path}", summary="Forget an address with its history")
def forget(bench: Bench, address: Key) -> Said:
    """It will be asked about again when it is next to be verified."""
    verdict_pages.remove(bench.database, address)
    return Said(message="The address was forgotten")


@router.delete("", summary="Forget every address that fits the filters")
def forget_all(
    bench: Bench,
    wanted: Filters,
    days: Annotated[
        float | None,
        Query(alias="olderThanDays", ge=0, le=MAX_DAYS, allow_inf_nan=False, description="last verified longer ago than this"),
    ] = None,
) -> Forgotten:
    """At least one filter is required; `olderThanDays=0` fits every address."""
    wanted = Wanted(wanted.q, wanted.status, wanted.reason, wanted.level, days)
    if wanted.empty:
        raise InvalidInput.of(
            "olderThanDays", "give at least one of status, reason, level, q and olderThanDays; 0 days mean all addresses"
        )
    return Forgotten(deleted=verdict_pages.remove_where(bench.database, wanted))


def _plain(email: VerifiedEmail) -> dict[str, Any]:
    same = ("address", "status", "reason", "level", "score", "job_id")
    return {name: getattr(email, name) for name in same} | {
        "verification_data": email.data,
        "last_verified_at": iso(email.verified_at),
        "verification_count": email.count,
        "created_at": iso(email.created_at),
        "updated_at": iso(email.updated_at),
    }


def _line(line: Line) -> LineShape:
    said = {name: getattr(line, name) for name in ("job_id", "job_type", "service", "status", "reason", "level")}
    return LineShape(at=iso(line.at), **said)


def _download(extension: str, form: Format) -> Callable[..., Response]:
    def download(bench: Bench, wanted: Filters) -> Response:
        body = form.write(row_tables(verdict_pages.stream(bench.database, wanted), SCHEMA), SCHEMA)
        return attachment(form, extension, f"verified-emails-{datetime.now(UTC):%Y-%m-%d}", body)

    return download


add_downloads(files, "/verified-emails", "verified_emails", "Every verified address that fits the filters,", _download)
