"""Writing progress: one transaction for what several jobs have finished, each job's part behind its own fence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.durable.chunks import INSERT
from engine.durable.clock import now_ms
from engine.durable.contract import Json
from engine.durable.database import Database
from engine.durable.states import Status
from engine.durable.tables import batch_states, jobs, throughput
from engine.durable.timeline import record
from engine.durable.totals import Totals
from engine.durable.vault import forget

SLOT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Finished:
    """Output chunk of a finished batch, encoded."""

    number: int
    rows: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """State of an unfinished batch: parked until `due_at` (ms), or a cursor saved in passing (None)."""

    number: int
    due_at: int | None
    state: Json


@dataclass(frozen=True, slots=True)
class Part:
    """All that one job has to commit, and how it goes on: `wake_at` releases it, parked; `outcome` ends or pauses it."""

    job_id: str
    job_type: str
    lease: int
    engine: str
    totals: Totals
    finished: Sequence[Finished] = ()
    kept: Sequence[Kept] = ()
    items: int = 0
    wake_at: int | None = None
    outcome: Status | None = None
    reason: str = ""
    extra: dict[str, object] = field(default_factory=dict)


def commit(database: Database, parts: Sequence[Part]) -> frozenset[str]:
    """Commit the parts; returns the jobs whose fence held. Nothing of the others was written: their lease is lost."""
    ordered = sorted(parts, key=lambda part: part.job_id)  # one order everywhere: no deadlocks between engines
    return database.transact(lambda connection: frozenset(p.job_id for p in ordered if _commit_part(connection, p)))


def _commit_part(connection: Connection, part: Part) -> bool:
    if not _fence(connection, part):
        return False
    if part.finished:
        numbers = [chunk.number for chunk in part.finished]
        connection.execute(INSERT, [_chunk_values(part.job_id, chunk) for chunk in part.finished])
        connection.execute(delete(batch_states).where(batch_states.c.job_id == part.job_id, batch_states.c.number.in_(numbers)))
    _keep(connection, part)
    _count(connection, part)
    if part.outcome:
        record(connection, [part.job_id], Status.RUNNING, part.outcome, part.reason, part.engine)
        if part.outcome != Status.PAUSED:
            forget(connection, [part.job_id])
    return True


def _fence(connection: Connection, part: Part) -> bool:
    """Move the job row on, if and only if this engine still holds it."""
    values: dict[str, object] = {**part.totals.values(), **part.extra, "updated_at": now_ms(), "revision": jobs.c.revision + 1}
    if part.finished or part.kept:
        values["crashes"] = 0
    if part.wake_at is not None:
        values |= {"wake_at": part.wake_at, "engine_id": None, "lease_until": None, "lease": jobs.c.lease + 1}
    if part.outcome:
        values |= {"status": part.outcome, "engine_id": None, "lease_until": None}
        values["error_message"] = part.reason if part.outcome in (Status.FAILED, Status.PAUSED) else None
        values["completed_at"] = None if part.outcome == Status.PAUSED else now_ms()
    held = (jobs.c.id == part.job_id, jobs.c.status == Status.RUNNING, jobs.c.lease == part.lease)
    return connection.execute(update(jobs).where(*held).values(**values)).rowcount == 1


def _chunk_values(job_id: str, chunk: Finished) -> dict[str, object]:
    number = chunk.number
    return {
        "job_id": job_id,
        "stream": "output",
        "number": number,
        "last": number,
        "row_count": chunk.rows,
        "payload": chunk.payload,
    }


def _keep(connection: Connection, part: Part) -> None:
    done = {chunk.number for chunk in part.finished}
    latest = {kept.number: kept for kept in part.kept if kept.number not in done}
    if not latest:
        return
    connection.execute(delete(batch_states).where(batch_states.c.job_id == part.job_id, batch_states.c.number.in_(latest)))
    rows = [{"job_id": part.job_id, "number": k.number, "due_at": k.due_at, "state": k.state} for k in latest.values()]
    connection.execute(insert(batch_states), rows)


def _count(connection: Connection, part: Part) -> None:
    if not part.items:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = dialect.insert(throughput).values(
        slot=now_ms() // SLOT_MS, type=part.job_type, engine_id=part.engine, item_count=part.items
    )
    more = {"item_count": throughput.c.item_count + row.excluded.item_count}
    connection.execute(row.on_conflict_do_update(index_elements=["slot", "type", "engine_id"], set_=more))
