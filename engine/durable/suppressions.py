"""Who gets no mail from here, and why: a list that outlives the jobs, and every change of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.durable import keyset
from engine.durable.clock import now_ms
from engine.durable.control import DAY_MS
from engine.durable.database import Database
from engine.durable.sending_tables import ListAction, Suppression, suppression_events
from engine.durable.sending_tables import suppressions as entries
from engine.durable.tables import jobs
from engine.durable.verdict_sql import Statement, encode
from engine.errors import InvalidInput, NotFound

MAX_LIMIT = 500
MAX_REASON = 500
"""Characters of a reason; a longer one is cut."""
MAX_HISTORY = 200
"""Changes of an entry that are shown, the newest."""
STREAM_ROWS = 5_000
BATCH = 5_000
"""Entries written in one transaction, so that engines get their turn between two."""


class SuppressionSource(StrEnum):
    """By what way an address came onto the list."""

    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    MANUAL = "manual"
    IMPORT = "import"
    API = "api"


@dataclass(frozen=True, slots=True)
class NewSuppression:
    """An address for the list: its key (`engine.mail.address.folded`), how it is shown, why, by what way, and from which job."""

    address: str
    shown: str
    reason: str
    source: str
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the list: `action` is `added` or `removed`. `job_type` is None without a job, or when it is gone."""

    at: int
    action: str
    reason: str
    source: str
    job_id: str | None
    job_type: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: all conditions must hold. `q` is a part of the address in any case, as it is shown or as its key."""

    q: str | None = None
    source: str | None = None

    @property
    def condition(self) -> ColumnElement[bool]:
        """The WHERE clause."""
        terms: list[ColumnElement[bool]] = [entries.c.source == self.source] if self.source else []
        if self.q:
            part = self.q.lower()
            shown = func.lower(entries.c.shown).contains(part, autoescape=True)
            terms.append(or_(entries.c.address.contains(part, autoescape=True), shown))
        return and_(True, *terms)


@dataclass(frozen=True, slots=True)
class SuppressionPage:
    """A page of entries, newest first; `cursor` continues it, None at the end; `total` counts all that fit."""

    entries: list[Suppression]
    cursor: str | None
    total: int


def add(database: Database, items: Sequence[NewSuppression], replace: bool = False) -> int:
    """Put addresses on the list; returns how many are new to it.

    An address that is on it already keeps its first reason, unless `replace` gives it the new one; adding again is harmless.
    """
    # In the order of the keys, so that two writers lock the same rows in the same order.
    ordered = sorted({item.address: item for item in reversed(items)}.values(), key=lambda item: item.address)
    parts = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    return sum(database.transact(lambda connection, part=part: enlist(connection, part, replace)) for part in parts)  # type: ignore[misc]


def enlist(connection: Connection, items: Sequence[NewSuppression], replace: bool = False) -> int:
    """`add` in the caller's transaction; each address at most once."""
    if not items:
        return 0
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    rows = {item.address: {**asdict(item), "reason": item.reason[:MAX_REASON]} for item in items}
    query = kind.insert(entries).values(created_at=now_ms(), updated_at=now_ms())
    new = query.on_conflict_do_nothing(index_elements=["address"]).returning(entries.c.address)
    added = set(connection.execute(new, list(rows.values())).scalars())
    known = [row for address, row in rows.items() if address not in added]
    if replace and known:
        connection.execute(_REPLACE, [{f"new_{name}": row[name] for name in _NOTED} for row in known])
    _note(connection, ListAction.ADDED, [row for address, row in rows.items() if replace or address in added])
    return len(added)


def remove(database: Database, addresses: Sequence[str], reason: str, source: str) -> int:
    """Take addresses off the list, keeping why and by what way; returns how many were on it."""
    ordered = sorted(set(addresses))
    parts = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    return sum(database.transact(lambda connection, part=part: _delist(connection, part, reason, source)) for part in parts)  # type: ignore[misc]


def _delist(connection: Connection, addresses: Sequence[str], reason: str, source: str) -> int:
    given = {"list": encode(addresses)}
    removed = connection.execute(_REMOVE.on(connection.dialect.name == "sqlite"), given).scalars().all()
    same = {"reason": reason[:MAX_REASON], "source": source, "job_id": None}
    _note(connection, ListAction.REMOVED, [{"address": address, **same} for address in removed])
    return len(removed)


def _note(connection: Connection, action: ListAction, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        query = insert(suppression_events).values(action=action, at=now_ms())
        connection.execute(query, [{name: row[name] for name in _NOTED} for row in rows])


def find(database: Database, addresses: Sequence[str]) -> dict[str, Suppression]:
    """Those of the keys that are on the list."""
    if not addresses:
        return {}
    with database.session() as session:
        query = select(Suppression).from_statement(_FIND.on(database.is_sqlite))
        found = session.execute(query, {"list": encode(list(addresses))}).scalars().all()
    return {entry.address: entry for entry in found}


def get(database: Database, address: str) -> Suppression:
    """The entry of a key.

    Raises:
        NotFound: it is not on the list.
    """
    found = find(database, [address]).get(address)
    if found is None:
        raise NotFound("This address is not suppressed")
    return found


def history(database: Database, address: str) -> list[Change]:
    """When a key was put on the list and taken off it, newest first; kept when it is not on it any more."""
    said = [suppression_events.c[name] for name in ("at", "action", "reason", "source", "job_id")]
    query = (
        select(*said, jobs.c.type.label("job_type"))
        .outerjoin(jobs, jobs.c.id == suppression_events.c.job_id)
        .where(suppression_events.c.address == address)
        .order_by(suppression_events.c.id.desc())
        .limit(MAX_HISTORY)
    )
    with database.read() as connection:
        return [Change(**row) for row in connection.execute(query).mappings()]


def counts(database: Database, q: str | None = None) -> dict[str, int]:
    """How many entries there are by source, of those that `q` fits."""
    query = select(entries.c.source, func.count()).where(Wanted(q).condition).group_by(entries.c.source)
    with database.read() as connection:
        return dict(connection.execute(query).all())


def growth(database: Database, days: int = 30) -> dict[str, list[int]]:
    """How many of the entries came on each of the last days (UTC), by source; the oldest day first, the last is today."""
    with database.read() as connection:
        today = connection.execute(select(now_ms())).scalar_one() // DAY_MS
        day = (entries.c.created_at // DAY_MS).label("day")
        query = select(day, entries.c.source, func.count()).where(entries.c.created_at >= (today - days + 1) * DAY_MS)
        rows = connection.execute(query.group_by(day, entries.c.source)).all()
    found: dict[str, list[int]] = defaultdict(lambda: [0] * days)
    for number, source, count in rows:
        found[source][min(int(number) - today + days, days) - 1] += count
    return dict(found)


def page(database: Database, wanted: Wanted | None = None, limit: int = 50, cursor: str | None = None) -> SuppressionPage:
    """A page of the list by keyset: as fast on page 1,000 as on page 1.

    Raises:
        InvalidInput: the limit is out of bounds, or the cursor is none of this list.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput.of("limit", f"must be between 1 and {MAX_LIMIT}")
    condition = (wanted or Wanted()).condition
    before = [tuple_(entries.c.created_at, entries.c.address) < tuple_(*keyset.position(cursor))] if cursor else []
    with database.session() as session:
        found = list(session.scalars(select(Suppression).where(condition, *before).order_by(*_newest()).limit(limit + 1)))
        total = len(found)
        if cursor or total > limit:
            total = session.execute(select(func.count()).select_from(entries).where(condition)).scalar_one()
    more = found[limit - 1] if len(found) > limit else None
    return SuppressionPage(found[:limit], keyset.cursor(more.created_at, more.address) if more else None, total)


EXPORTED = ("shown", "address", "reason", "source", "job_id", "created_at", "updated_at")
"""The columns that `stream` gives; moments in milliseconds."""


def stream(database: Database, wanted: Wanted) -> Iterator[Sequence[Row[*tuple[Any, ...]]]]:
    """All entries that fit, newest first, `STREAM_ROWS` at a time: short reads, so that a slow download holds nothing up."""
    query = select(*(entries.c[name] for name in EXPORTED)).where(wanted.condition).order_by(*_newest()).limit(STREAM_ROWS)
    last: tuple[int, str] | None = None
    while True:
        after = [tuple_(entries.c.created_at, entries.c.address) < tuple_(*last)] if last else []
        with database.read() as connection:
            rows = connection.execute(query.where(*after)).all()
        if rows:
            yield rows
        if len(rows) < STREAM_ROWS:
            return
        last = rows[-1].created_at, rows[-1].address


def _newest() -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return entries.c.created_at.desc(), entries.c.address.desc()


_NOTED = ("address", "reason", "source", "job_id")
_REPLACE = (
    update(entries)
    .where(entries.c.address == bindparam("new_address"))
    .values({**{name: bindparam(f"new_{name}") for name in _NOTED if name != "address"}, "updated_at": now_ms()})
)
_FIND = Statement("SELECT entry.* FROM {list} CROSS JOIN suppression AS entry WHERE entry.address = item.value")
_REMOVE = Statement("DELETE FROM suppression WHERE address IN (SELECT item.value FROM {list}) RETURNING address")
