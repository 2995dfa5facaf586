"""Claim, heartbeat, release and rescue: which engine holds which job."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_, select, update

from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.states import Status
from engine.durable.tables import EngineRecord, Job, engines, jobs
from engine.durable.timeline import record
from engine.durable.vault import forget

LEASE_MS = 30_000
HEARTBEAT_SECONDS = 5.0
MAX_CRASHES = 5
CRASH_PAUSE_MS = 5_000
"""How long a job that its engine could not even begin rests before the next try."""
_held = (jobs.c.status == Status.RUNNING, jobs.c.engine_id.is_not(None))


def claimable() -> ColumnElement[bool]:
    """Jobs that are due and that nobody holds: fresh ones, and running ones that were released, rescued or parked."""
    due = or_(jobs.c.run_after.is_(None), jobs.c.run_after <= now_ms())
    awake = or_(jobs.c.wake_at.is_(None), jobs.c.wake_at <= now_ms())
    fresh = and_(jobs.c.status == Status.PENDING, due)
    orphan = and_(jobs.c.status == Status.RUNNING, jobs.c.engine_id.is_(None), awake)
    return or_(fresh, orphan)


def claim(database: Database, engine: str, types: Collection[str], limit: int) -> list[Job]:
    """Take up to `limit` due jobs of these types, oldest first; each claim makes a new lease."""
    mine = and_(claimable(), jobs.c.type.in_(types))
    with database.read() as connection:
        if limit < 1 or not connection.execute(select(exists().where(mine))).scalar():
            return []
    return database.transact(lambda connection: _claim(connection, engine, mine, limit))


def _claim(connection: Connection, engine: str, mine: ColumnElement[bool], limit: int) -> list[Job]:
    picked = select(jobs.c.id, jobs.c.status).where(mine).order_by(jobs.c.created_at, jobs.c.id).limit(limit)
    was = {row.id: row.status for row in connection.execute(picked.with_for_update(skip_locked=True))}
    if not was:
        return []
    taken = (
        update(jobs)
        .where(jobs.c.id.in_(was))
        .values(
            status=Status.RUNNING,
            engine_id=engine,
            lease=jobs.c.lease + 1,
            lease_until=now_ms() + LEASE_MS,
            started_at=func.coalesce(jobs.c.started_at, now_ms()),
            wake_at=None,
            updated_at=now_ms(),
            revision=jobs.c.revision + 1,
        )
        .returning(*jobs.c)
    )
    held = [Job(**row._mapping) for row in connection.execute(taken)]
    fresh = [job_id for job_id, status in was.items() if status == Status.PENDING]
    record(connection, fresh, Status.PENDING, Status.RUNNING, "started", engine)
    return sorted(held, key=lambda job: (job.created_at, job.id))


def heartbeat(database: Database, engine: str, held: int) -> bool:
    """Say that the engine lives and renew its leases; False when nobody knows this engine (any more)."""

    def beat(connection: Connection) -> bool:
        mine = update(engines).where(engines.c.id == engine, engines.c.stopped_at.is_(None))
        known = connection.execute(mine.values(heartbeat_at=now_ms(), jobs=held)).rowcount == 1
        connection.execute(update(jobs).where(jobs.c.engine_id == engine).values(lease_until=now_ms() + LEASE_MS))
        return known

    return database.transact(beat)


def release(database: Database, engine: str, reason: str) -> list[str]:
    """Give back all that the engine holds, unfinished; any engine may claim it at once."""

    def give_back(connection: Connection) -> list[str]:
        freed = update(jobs).where(jobs.c.engine_id == engine).values(**_freed())
        ids = list(connection.execute(freed.returning(jobs.c.id)).scalars())
        record(connection, ids, Status.RUNNING, Status.RUNNING, reason, engine)
        return ids

    return database.transact(give_back)


def _freed() -> dict[str, object]:
    """What a job row says once nobody holds it; the lease moves on, so that the old one is worth nothing at once."""
    return {
        "engine_id": None,
        "lease_until": None,
        "lease": jobs.c.lease + 1,
        "updated_at": now_ms(),
        "revision": jobs.c.revision + 1,
    }


def rescue(database: Database, is_dead: Callable[[EngineRecord], bool], own: str = "") -> dict[str, list[str]]:
    """Take jobs from engines that are gone (`is_dead`) or whose lease ran out; returns them by engine.

    The rescuer's own jobs (`own`) are left alone: after a suspend its next heartbeat renews their leases.

    A job in hand at its engine's death counts a crash; the fifth without any progress between fails it.
    """
    with database.session() as session:
        holding = select(jobs.c.engine_id).where(*_held).distinct()
        holders = session.scalars(select(EngineRecord).where(engines.c.id.in_(holding))).all()
        dead = {holder.id for holder in holders if is_dead(holder)}
        # Looked up again inside the transaction: an engine that registers in between is not an unknown one.
        unknown = jobs.c.engine_id.not_in(select(engines.c.id))
        lost = and_(jobs.c.engine_id != own, or_(jobs.c.engine_id.in_(dead), jobs.c.lease_until < now_ms(), unknown))
        if not session.scalar(select(exists().where(*_held, lost))):
            return {}
    return database.transact(lambda connection: _rescue(connection, lost))


def _rescue(connection: Connection, lost: ColumnElement[bool]) -> dict[str, list[str]]:
    query = select(jobs.c.id, jobs.c.engine_id, jobs.c.crashes).where(*_held, lost)
    rows = connection.execute(query.order_by(jobs.c.id).with_for_update(skip_locked=True)).all()
    rescued: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        rescued[row.engine_id].append(row.id)
        if row.crashes + 1 >= MAX_CRASHES:
            reason = f"Its engine died {MAX_CRASHES} times in a row without any progress on this job."
            end(connection, row.id, Status.FAILED, reason, row.engine_id)
        else:
            _take_back(connection, row.id, row.engine_id, "rescued: its engine is gone")
    return rescued


def _take_back(connection: Connection, job_id: str, engine: str, reason: str, pause_ms: int | None = None) -> None:
    wake_at = None if pause_ms is None else now_ms() + pause_ms
    freed = update(jobs).where(jobs.c.id == job_id).values(**_freed(), crashes=jobs.c.crashes + 1, wake_at=wake_at)
    connection.execute(freed)
    record(connection, [job_id], Status.RUNNING, Status.RUNNING, reason, engine)


def crash(database: Database, job_id: str, lease: int, reason: str, engine: str) -> None:
    """Give back a claimed job that the engine could not begin, counted like a crash: the fifth in a row fails it."""

    def work(connection: Connection) -> None:
        row = _holding(connection, job_id, lease, engine)
        if row is not None and row.crashes + 1 >= MAX_CRASHES:
            end(connection, job_id, Status.FAILED, f"It could not be begun {MAX_CRASHES} times in a row: {reason}", engine)
        elif row is not None:
            _take_back(connection, job_id, engine, f"not begun: {reason}", CRASH_PAUSE_MS)

    database.transact(work)


def _holding(connection: Connection, job_id: str, lease: int, engine: str) -> Row[Any, Any] | None:
    """The job's row, locked, if the engine holds it under this lease."""
    query = select(jobs.c.id, jobs.c.crashes).where(jobs.c.id == job_id, jobs.c.engine_id == engine, jobs.c.lease == lease)
    return connection.execute(query.with_for_update()).first()


def end(connection: Connection, job_id: str, status: Status, reason: str, engine: str | None, error: str | None = None) -> None:
    """End a running job in the caller's transaction; for `failed`, `error` or else the reason is the message shown."""
    message = (error or reason) if status == Status.FAILED else None
    connection.execute(
        update(jobs).where(jobs.c.id == job_id).values(**_freed(), status=status, completed_at=now_ms(), error_message=message)
    )
    forget(connection, [job_id])
    record(connection, [job_id], Status.RUNNING, status, reason, engine)


def held(database: Database, engine: str) -> dict[str, int]:
    """The jobs this engine holds now, with their leases."""
    with database.read() as connection:
        rows = connection.execute(select(jobs.c.id, jobs.c.lease).where(jobs.c.engine_id == engine))
        return {row.id: row.lease for row in rows}


def work_left(database: Database, types: Collection[str]) -> bool:
    """Whether a job of these types runs, is parked, or waits to begin, now or later."""
    alive = jobs.c.status.in_([Status.PENDING, Status.RUNNING])
    with database.read() as connection:
        return bool(connection.execute(select(exists().where(alive, jobs.c.type.in_(types)))).scalar())


def fail(database: Database, job_id: str, lease: int, reason: str, engine: str) -> None:
    """Fail a job that the engine holds and cannot run."""

    def work(connection: Connection) -> None:
        if _holding(connection, job_id, lease, engine) is not None:
            end(connection, job_id, Status.FAILED, reason, engine)

    database.transact(work)
