"""The ledger in the database: a group of calls is one transaction of a few statements, however many messages it is about."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, func, select, update

from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.delivery_rules import Arming, Book, Call, Key, Opening, Row, recipients_of
from engine.durable.ledger import Standing, State
from engine.durable.resolution import clear
from engine.durable.sending_tables import UNTRIED, deliveries
from engine.durable.states import RESUMABLE, Status
from engine.durable.suppressions import NewSuppression, SuppressionSource, enlist
from engine.durable.tables import events, jobs
from engine.durable.verdict_sql import Statement, encode, parameters
from engine.errors import LeaseLost


def write(database: Database, calls: Sequence[Call]) -> list[Any]:
    """Do what the calls say, in their order, in one transaction; their results.

    A call that is refused has the error as its result (`LeaseLost` or a subclass); it keeps no other from being done.
    """
    return database.transact(lambda connection: _write(connection, calls))


def _write(connection: Connection, calls: Sequence[Call]) -> list[Any]:
    held, crashed, now = _fences(connection, calls)
    concerned: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        concerned[call.job.id].update(recipients_of(call))
    rows = {key: row for job_id in sorted(concerned) for key, row in _rows(connection, job_id, concerned[job_id])}
    book = Book(rows, *_unwanted(connection, calls), held, now)
    results = [_result(book, call) for call in calls]
    _store(connection, book)
    for job_id in sorted({job_id for job_id, _ in book.cleared}):
        clear(connection, job_id, [book.rows[key] for key in book.cleared if key[0] == job_id])
    if recovered := sorted(crashed & book.moved):
        connection.execute(update(jobs).where(jobs.c.id.in_(recovered)).values(crashes=0))
    return results


def _result(book: Book, call: Call) -> Any:
    try:
        return book.apply(call)
    except LeaseLost as refused:
        return refused


def _fences(connection: Connection, calls: Sequence[Call]) -> tuple[set[tuple[str, int]], set[str], int]:
    """The leases that hold, for as long as this transaction; jobs that have crashed since they last came forward; the time.

    The rows are locked, not written: that of a job with long parameters is long, and this happens at every message.
    """
    held: set[tuple[str, int]] = set()
    crashed: set[str] = set()
    now = 0
    for job_id, lease in sorted({(call.job.id, call.job.lease) for call in calls}):  # one order everywhere: no deadlocks
        mine = (jobs.c.id == job_id, jobs.c.status == Status.RUNNING, jobs.c.lease == lease)
        row = connection.execute(select(jobs.c.crashes, now_ms()).where(*mine).with_for_update(key_share=True)).first()
        if row is not None:
            held.add((job_id, lease))
            now = row[1]
            if row[0]:
                crashed.add(job_id)
    return held, crashed, now


def _rows(connection: Connection, job_id: str, recipients: Collection[str]) -> Iterable[tuple[Key, Row]]:
    is_sqlite = connection.dialect.name == "sqlite"
    asked = {"job_id": job_id, "list": encode(sorted(recipients))}
    for row in _array(connection.execute((_ROWS if is_sqlite else _LOCKED_ROWS).on(is_sqlite), asked).scalar()):
        values = dict(zip(_COLUMNS, row, strict=True))
        yield (job_id, values["recipient"]), Row(**{**values, "state": State(values["state"]), "hard": bool(values["hard"])})


def _unwanted(connection: Connection, calls: Sequence[Call]) -> tuple[dict[str, str], set[str]]:
    """Of those that may get a message, who is suppressed and why, and which addresses a job made up."""
    is_sqlite = connection.dialect.name == "sqlite"
    opened = [fresh for call in calls if isinstance(call, Opening) for fresh in call.recipients]
    names = {fresh.recipient for fresh in opened}
    asked = sorted(names | {call.recipient for call in calls if isinstance(call, Arming)})
    listed = _array(connection.execute(_LISTED.on(is_sqlite), {"list": encode(asked)}).scalar()) if asked else []
    names |= {fresh.address for fresh in opened if fresh.address}
    made_up = _array(connection.execute(_MADE_UP.on(is_sqlite), {"pairs": encode(_domains(names))}).scalar()) if names else []
    return dict(listed), {address for (address,) in made_up}


def _domains(names: Collection[str]) -> dict[str, str]:
    """The domain of each address: the index of verified ones begins with it."""
    return {name: name.rpartition("@")[2] for name in sorted(names)}


def _store(connection: Connection, book: Book) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    if book.changed:
        values = [_values(job_id, book.rows[job_id, recipient]) for job_id, recipient in sorted(book.changed)]
        connection.execute(_KEEP.on(is_sqlite), parameters(values, is_sqlite, unique="recipient"))
    source = SuppressionSource.BOUNCE
    enlist(
        connection, [NewSuppression(one, one, reason, source, job_id) for one, (reason, job_id) in sorted(book.banned.items())]
    )


def _values(job_id: str, row: Row) -> dict[str, Any]:
    return {"job_id": job_id, **{name: getattr(row, name) for name in _COLUMNS}}


def _array(found: Any) -> list[Any]:
    return json.loads(found) if isinstance(found, str) else found or []


def standing(database: Database, job_id: str) -> Standing:
    """What was sent, failed and was refused for good since the job was submitted or last resumed by a person."""
    resumed = (events.c.from_status.in_(sorted(RESUMABLE)), events.c.to_status == Status.PENDING)
    since = select(func.coalesce(func.max(events.c.at), 0)).where(events.c.job_id == job_id, *resumed).scalar_subquery()
    d = deliveries.c
    query = select(d.state, d.hard, func.count()).where(d.job_id == job_id, d.settled_at.is_not(None), d.settled_at >= since)
    with database.read() as connection:
        found = {(state, bool(hard)): number for state, hard, number in connection.execute(query.group_by(d.state, d.hard))}
    failed = {hard: found.get((State.FAILED, hard), 0) for hard in (False, True)}
    return Standing(found.get((State.SENT, False), 0), sum(failed.values()), failed[True])


def last_sent(database: Database, job_id: str) -> int | None:
    """When the job's last message was sent (ms)."""
    d = deliveries.c
    query = select(d.settled_at).where(d.job_id == job_id, d.settled_at.is_not(None), d.state == State.SENT)
    with database.read() as connection:
        return connection.execute(query.order_by(d.settled_at.desc()).limit(1)).scalar()


def begun(database: Database, job_id: str) -> dict[str, int]:
    """How many recipients of each domain are settled or were tried."""
    d = deliveries.c
    query = select(d.domain, func.count()).where(d.job_id == job_id, d.state.not_in(sorted(UNTRIED))).group_by(d.domain)
    with database.read() as connection:
        return {domain: number for domain, number in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy


_TYPES = {
    "recipient": "text",
    "item": "bigint",
    "domain": "text",
    "state": "text",
    "message_id": "text",
    "attempts": "integer",
    "due_at": "bigint",
    "smtp_code": "integer",
    "smtp_reply": "text",
    "error": "text",
    "hard": "boolean",
    "sent_at": "bigint",
    "settled_at": "bigint",
}
_COLUMNS = tuple(field.name for field in fields(Row))
_STORED = {"job_id": "text", **{name: _TYPES[name] for name in _COLUMNS}}
_FIXED = ("job_id", "recipient", "item", "domain", "message_id")
_FOUND = (
    "{array}(" + ", ".join(_COLUMNS) + ")) FROM (SELECT d.* FROM {list} CROSS JOIN delivery AS d"
    " WHERE d.job_id = :job_id AND d.recipient = item.value"
)
_ROWS = Statement(_FOUND + ") AS d")
_LOCKED_ROWS = Statement(_FOUND + " FOR UPDATE OF d) AS d")
_LISTED = Statement("{array}(s.address, s.reason)) FROM {list} CROSS JOIN suppression AS s WHERE s.address = item.value")
_MADE_UP = Statement(
    "{array}(item.key)) FROM {pairs} WHERE EXISTS (SELECT 1 FROM probe_permit AS p WHERE p.address = item.key) OR EXISTS"
    " (SELECT 1 FROM verified_email AS v WHERE v.domain = item.value AND v.address = item.key AND {synthetic})"
)
_KEEP = Statement(
    f"INSERT INTO delivery ({', '.join(_STORED)}, updated_at) SELECT {', '.join(_STORED)}, {{now}} FROM {{rows}} WHERE true"
    " ON CONFLICT (job_id, recipient) DO UPDATE SET updated_at = excluded.updated_at, "
    + ", ".join(f"{name} = excluded.{name}" for name in _STORED if name not in _FIXED),
    _STORED,
)
