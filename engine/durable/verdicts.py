"""What is known of addresses: look a list up, and store new verdicts, each with a line of history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from engine.durable.database import Database
from engine.durable.verdict_claims import claim, drop_claims, let_go, owner, owner_dead, release, renew
from engine.durable.verdict_permits import permit
from engine.durable.verdict_sql import Statement, encode, parameters

__all__ = ["Fresh", "Known", "claim", "drop_claims", "find", "owner", "owner_dead", "permit", "release", "renew", "save"]
UNKNOWN = "unknown"
"""The status that never replaces another one."""


class Known(NamedTuple):
    """What is known of an address: `data` as it was saved, `checked_at` in ms, `job_id` whose verdict it is, `count` how many
    verifications there were. A tuple, as tables of millions are looked up.
    """

    address: str
    status: str
    reason: str
    level: str
    score: int
    data: Mapping[str, Any]
    checked_at: int
    job_id: str | None
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody misses here


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new verification to be stored; `service` is whom it asked."""

    address: str
    status: str
    reason: str
    level: str
    score: int
    data: Mapping[str, Any]
    checked_at: int
    job_id: str | None
    service: str


def domain_of(address: str) -> str:
    """What the index of addresses is sorted by: all that comes after the last `@`."""
    return address.rpartition("@")[2]


def find(database: Database, addresses: Sequence[str]) -> dict[str, Known]:
    """What is known of these addresses; those never verified are left out. One query, whatever their number."""
    if not addresses:
        return {}
    in_order = sorted((domain_of(address), address) for address in addresses)  # that of the index: neighbours share pages
    pairs = encode({address: domain for domain, address in in_order})
    with database.read() as connection:
        found = connection.execute(_FIND.on(database.is_sqlite), {"pairs": pairs}).scalar()
    rows = json.loads(found) if isinstance(found, str) else found or ()
    return {row[0]: Known._make(row) for row in rows}


def save(database: Database, fresh: Sequence[Fresh], keep_final: bool = True, owner: str | None = None) -> None:
    """Store verifications in one transaction: each counts and gets its line of history, and the newest is what is known.

    With `keep_final` an unknown never replaces another status: the row stays as it was, but for its count. Claims of `owner`
    on the addresses end in the same transaction.
    """
    if not fresh:
        return
    # In the order of the index: neighbours share pages, and two writers lock the same rows in the same order.
    in_order = sorted(fresh, key=lambda one: (domain_of(one.address), one.address))
    rows = [_row(one, database.is_sqlite) for one in in_order]
    given = parameters(rows, database.is_sqlite, unique="address")
    upsert = (_KEEP if keep_final else _REPLACE).on(database.is_sqlite)

    def work(connection: Connection) -> None:
        connection.execute(upsert, given)
        connection.execute(_HISTORY.on(database.is_sqlite), given)
        if owner is not None:
            let_go(connection, [row["address"] for row in rows], owner)

    database.transact(work)


def _row(one: Fresh, is_sqlite: bool) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in _MEMBERS}
    row["domain"] = domain_of(one.address)
    if is_sqlite:  # JSON is a text there
        row["data"] = encode(one.data)
    return row


def _upsert(kept: str) -> Statement:
    """The INSERT that replaces what is known unless `kept` holds."""
    columns = ("status", "reason", "level", "score", "data", "verified_at", "job_id")
    changes = (f"{name} = CASE WHEN {kept} THEN verified_email.{name} ELSE excluded.{name} END" for name in columns)
    return Statement(_INSERT + ", ".join(changes), _COLUMNS)


_MEMBERS = {
    "address": "text",
    "status": "text",
    "reason": "text",
    "level": "text",
    "score": "integer",
    "data": "json",
    "checked_at": "bigint",
    "job_id": "text",
    "service": "text",
}
_COLUMNS = {**_MEMBERS, "domain": "text"}
# All rows as one JSON text: SQLite's driver hands the interpreter to another thread at each row that it fetches.
_FIND = Statement(
    "{array}(email.address, email.status, email.reason, email.level, email.score, {json}(email.data),"
    " email.verified_at, email.job_id, email.count)) FROM {pairs} CROSS JOIN verified_email AS email"
    " WHERE email.domain = item.value AND email.address = item.key"
)
_INSERT = (
    "INSERT INTO verified_email"
    " (address, domain, status, reason, level, score, data, verified_at, job_id, count, created_at, updated_at)"
    " SELECT item.address, item.domain, item.status, item.reason, item.level, item.score, item.data, item.checked_at,"
    " item.job_id, 1, {now}, {now} FROM {rows} WHERE true"  # `WHERE true`: else ON would belong to FROM
    " ON CONFLICT (domain, address) DO UPDATE SET count = verified_email.count + 1, updated_at = excluded.updated_at, "
)
_KEEP = _upsert(f"excluded.status = '{UNKNOWN}' AND verified_email.status <> '{UNKNOWN}'")
_REPLACE = _upsert("1 = 0")
_HISTORY = Statement(
    "INSERT INTO verification (email_id, at, job_id, service, status, reason, level)"
    " SELECT email.id, item.checked_at, item.job_id, item.service, item.status, item.reason, item.level"
    " FROM {rows} CROSS JOIN verified_email AS email WHERE email.domain = item.domain AND email.address = item.address",
    _COLUMNS,
)
