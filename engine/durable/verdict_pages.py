"""What is known of addresses, for people: search, page, history, export, removal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, String, and_, cast, delete, func, select, tuple_

from engine.durable import keyset
from engine.durable.clock import now_ms
from engine.durable.control import DAY_MS
from engine.durable.database import Database
from engine.durable.tables import VerifiedEmail, jobs, verifications
from engine.durable.tables import verified_emails as emails
from engine.errors import InvalidInput, NotFound

MAX_LIMIT = 500
MAX_HISTORY = 1_000
"""Lines of an address's history that are shown, the newest."""
STREAM_ROWS = 5_000
_BATCH = 500
_FEW = 5_000
"""Up to so many rows found by the index of domains are looked at one by one; else the list is walked in its order."""
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which addresses: all conditions must hold. `q` is a part of the address in any case; from an `@` on it begins a domain.

    The index of addresses begins with the domain, so a domain is found at once; any other part is looked for in an index
    that holds all that can be filtered by, in the order of the list: a scan of some 80 MB for a million addresses.
    """

    q: str | None = None
    status: str | None = None
    reason: str | None = None
    level: str | None = None
    older_than_days: float | None = None
    """Last verified more than so many days ago."""

    @property
    def empty(self) -> bool:
        """Whether there is no condition at all."""
        return all(getattr(self, field.name) in (None, "") for field in fields(self))

    def condition(self, connection: Connection) -> ColumnElement[bool]:
        """The WHERE clause, by the quickest way into the table."""
        same = ("status", "reason", "level")
        terms = [emails.c[name] == value for name in same if (value := getattr(self, name))]
        if self.older_than_days is not None:
            terms.append(emails.c.verified_at <= now_ms() - round(self.older_than_days * DAY_MS))
        if self.q:
            terms.append(emails.c.address.contains(self.q.lower(), autoescape=True))
            terms += _of_domain(connection, self.q.lower())
        return and_(True, *terms)


def _of_domain(connection: Connection, q: str) -> list[ColumnElement[bool]]:
    """The condition on the domain, where that alone leaves few rows."""
    _, at, domain = q.rpartition("@")
    if not at or not domain:
        return []
    some = select(emails.c.id).where(emails.c.domain >= domain, emails.c.domain < domain + _LAST).limit(_FEW + 1)
    if connection.execute(select(func.count()).select_from(some.subquery())).scalar_one() > _FEW:
        return []
    return [emails.c.id.in_(some)]


@dataclass(frozen=True, slots=True)
class EmailPage:
    """A page of addresses, newest verified first; `cursor` continues it, None at the end; `total` counts all that fit."""

    emails: list[VerifiedEmail]
    cursor: str | None
    total: int


def page(database: Database, wanted: Wanted | None = None, limit: int = 50, cursor: str | None = None) -> EmailPage:
    """A page of the list by keyset: as fast on page 1,000 as on page 1.

    Raises:
        InvalidInput: the limit is out of bounds, or the cursor is none of this list.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput.of("limit", f"must be between 1 and {MAX_LIMIT}")
    before = [tuple_(emails.c.verified_at, emails.c.address) < tuple_(*keyset.position(cursor))] if cursor else []
    newest = (emails.c.verified_at.desc(), emails.c.address.desc())
    with database.session() as session:
        condition = (wanted or Wanted()).condition(session.connection())
        found = list(session.scalars(select(VerifiedEmail).where(condition, *before).order_by(*newest).limit(limit + 1)))
        total = len(found)
        if cursor or total > limit:
            total = session.execute(select(func.count()).select_from(emails).where(condition)).scalar_one()
    more = found[limit - 1] if len(found) > limit else None
    return EmailPage(found[:limit], keyset.cursor(more.verified_at, more.address) if more else None, total)


def get(database: Database, address: str) -> VerifiedEmail:
    """What is known of an address.

    Raises:
        NotFound: it was never verified.
    """
    with database.session() as session:
        found = session.scalar(select(VerifiedEmail).where(_is(address)))
    if found is None:
        raise _never()
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """A verification of an address. `job_type` is None when the job is gone."""

    at: int
    job_id: str | None
    job_type: str | None
    service: str
    status: str
    reason: str
    level: str


def history(database: Database, address: str) -> list[Line]:
    """The verifications of an address, newest first; none when it was never verified."""
    said = [verifications.c[name] for name in ("service", "status", "reason", "level")]
    query = (
        select(verifications.c.at, verifications.c.job_id, jobs.c.type, *said)
        .join(emails, emails.c.id == verifications.c.email_id)
        .outerjoin(jobs, jobs.c.id == verifications.c.job_id)
        .where(_is(address))
        .order_by(verifications.c.id.desc())
        .limit(MAX_HISTORY)
    )
    with database.read() as connection:
        return [Line(*row) for row in connection.execute(query)]


def remove(database: Database, address: str) -> None:
    """Forget an address with its history.

    Raises:
        NotFound: it was never verified.
    """
    if database.transact(lambda connection: connection.execute(delete(emails).where(_is(address))).rowcount) != 1:
        raise _never()


def remove_where(database: Database, wanted: Wanted) -> int:
    """Forget every address that fits, in short transactions so that engines get their turn; returns how many."""
    total, last = 0, 0
    while True:
        with database.read() as connection:
            query = select(emails.c.id).where(wanted.condition(connection), emails.c.id > last)
            ids = connection.execute(query.order_by(emails.c.id).limit(_BATCH)).scalars().all()
        if not ids:
            return total
        last = ids[-1]
        total += database.transact(lambda connection, ids=ids: _take_away(connection, wanted, ids))  # type: ignore[misc]


def _take_away(connection: Connection, wanted: Wanted, ids: Sequence[int]) -> int:
    # Asked again: one of them may have been verified anew.
    return connection.execute(delete(emails).where(emails.c.id.in_(ids), wanted.condition(connection))).rowcount


EXPORTED = {
    "address": emails.c.address,
    "status": emails.c.status,
    "reason": emails.c.reason,
    "level": emails.c.level,
    "score": emails.c.score,
    "verification_data": cast(emails.c.data, String),
    "last_verified_at": emails.c.verified_at,
    "verification_count": emails.c.count,
    "job_id": emails.c.job_id,
    "created_at": emails.c.created_at,
    "updated_at": emails.c.updated_at,
}
"""What `stream` gives, by name; moments in milliseconds, data as JSON text."""


def stream(database: Database, wanted: Wanted) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    """All that fit, newest known first, `STREAM_ROWS` at a time: short reads, so that a slow download holds nothing up.

    Each address that exists throughout is given once, whatever is verified meanwhile.
    """
    last: int | None = None
    while True:
        with database.read() as connection:
            query = select(*EXPORTED.values(), emails.c.id).where(wanted.condition(connection)).order_by(emails.c.id.desc())
            if last is not None:
                query = query.where(emails.c.id < last)
            rows = connection.execute(query.limit(STREAM_ROWS)).all()
        if rows:
            yield rows
        if len(rows) < STREAM_ROWS:
            return
        last = rows[-1].id


def _is(address: str) -> ColumnElement[bool]:
    return and_(emails.c.domain == address.rpartition("@")[2], emails.c.address == address)


def _never() -> NotFound:
    return NotFound("This address was never verified")
