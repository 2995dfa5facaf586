"""What is known of addresses: look a list up, and store new verdicts, each with a line of history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from engine.durable.database import Database
from engine.durable.verdict_claims import claim, drop_claims, owner, owner_dead, release, renew
from engine.durable.verdict_permits import permit
from engine.durable.verdict_sql import Kind, Statement, encode

__all__ = [
    "UNKNOWN",
    "Fresh",
    "Known",
    "claim",
    "drop_claims",
    "find",
    "owner",
    "owner_dead",
    "permit",
    "release",
    "renew",
    "save",
]
UNKNOWN = "unknown"
"""The status that never replaces another one."""


class Known(NamedTuple):
    """What is known of an address. `checked_at` is in ms, `count` says how often it was verified, `job_id` by whom last."""

    address: str
    status: str
    reason: str
    level: str
    score: int
    data: Mapping[str, Any]
    checked_at: int
    job_id: str | None
    count: int


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


def find(database: Database, addresses: Sequence[str]) -> dict[str, Known]:
    """What is known of these addresses; those never verified are left out. One query, whatever their number."""
    if not addresses:
        return {}
    with database.read() as connection:
        rows = connection.execute(_FIND.on(database.is_sqlite), {"rows": encode([[a.rpartition("@")[2], a] for a in sorted(addresses)])}).all()
    data = json.loads(f"[{','.join([row[5] for row in rows])}]")
    return {row[0]: Known(*row[:5], said, *row[6:]) for row, said in zip(rows, data, strict=True)}


def save(database: Database, fresh: Sequence[Fresh], keep_final: bool = True) -> None:
    """Store verifications in one transaction: each counts and gets its line of history, and the newest is what is known.

    With `keep_final` an unknown never replaces another status: the row stays as it was, but for its count.
    """
    rounds = _rounds(fresh)
    upsert = (_KEEP if keep_final else _REPLACE).on(database.is_sqlite)

    def work(connection: Connection) -> None:
        for rows in rounds:
            connection.execute(upsert, {"rows": rows})
            connection.execute(_HISTORY.on(database.is_sqlite), {"rows": rows})

    if rounds:
        database.transact(work)


def _rounds(fresh: Sequence[Fresh]) -> list[str]:
    """The rows as JSON, in as many parts as the commonest address occurs: a statement may touch a row only once.

    Sorted, so that two writers lock the same rows in the same order.
    """
    parts: list[list[Any]] = []
    seen: dict[str, int] = {}
    for one in sorted(fresh, key=lambda one: one.address):
        number = seen[one.address] = seen.get(one.address, -1) + 1
        if number == len(parts):
            parts.append([])
        parts[number].append([getattr(one, name) for name in _MEMBERS] + [one.address.rpartition("@")[2]])
    return [encode(part) for part in parts]


def _upsert(kept: str) -> Statement:
    """The INSERT that replaces what is known unless `kept` holds."""
    columns = ("status", "reason", "level", "score", "data", "verified_at", "job_id")
    changes = (f"{name} = CASE WHEN {kept} THEN verified_email.{name} ELSE excluded.{name} END" for name in columns)
    return Statement(
        f"{_INSERT} {', '.join(changes)}, count = verified_email.count + 1, updated_at = excluded.updated_at", _KINDS
    )


_MEMBERS = ("address", "status", "reason", "level", "score", "data", "checked_at", "job_id", "service")
_KINDS: tuple[Kind, ...] = ("TEXT", "TEXT", "TEXT", "TEXT", "BIGINT", "JSON", "BIGINT", "TEXT", "TEXT", "TEXT")
_FIND = Statement(
    "SELECT email.address, email.status, email.reason, email.level, email.score, CAST(email.data AS TEXT),"
    " email.verified_at, email.job_id, email.count FROM {rows} CROSS JOIN verified_email AS email WHERE email.domain = {0} AND email.address = {1}",
    ("TEXT", "TEXT"),
)
# `WHERE true` keeps SQLite from reading ON CONFLICT as the join's ON. SQLite evaluates the SELECT's clock once.
_INSERT = (
    "INSERT INTO verified_email"
    " (address, domain, status, reason, level, score, data, verified_at, job_id, count, created_at, updated_at)"
    " SELECT {0}, {9}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, 1, {now}, {now} FROM {rows} WHERE true"
    " ON CONFLICT (domain, address) DO UPDATE SET"
)
_KEEP = _upsert(f"excluded.status = '{UNKNOWN}' AND verified_email.status <> '{UNKNOWN}'")
_REPLACE = _upsert("1 = 0")
_HISTORY = Statement(
    "INSERT INTO verification (email_id, at, job_id, service, status, reason, level)"
    " SELECT email.id, {6}, {7}, {8}, {1}, {2}, {3} FROM {rows} CROSS JOIN verified_email AS email WHERE email.domain = {9} AND email.address = {0}",
    _KINDS,
)
