"""Small reads that the pages need beside `engine.durable.queries`; each is one indexed query."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import bindparam, func, or_, select

from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.sending_tables import State, deliveries, suppression_events
from engine.durable.states import Status
from engine.durable.tables import Job, events, jobs
from engine.errors import NotFound

HOUR_MS = 3_600_000
_POSITION_CAP = 1_000
_CURRENT = select(now_ms().label("now"), *jobs.c).where(jobs.c.id == bindparam("job_id"))  # built once: it runs every second


def now(database: Database) -> int:
    """The database's clock, in ms: the one that every stored moment was taken from."""
    with database.read() as connection:
        return connection.execute(select(now_ms())).scalar_one()


def current(database: Database, job_id: str) -> tuple[Job, int]:
    """A job and the database's clock, in one query.

    Raises:
        NotFound: there is no such job.
    """
    with database.read() as connection:
        row = connection.execute(_CURRENT, {"job_id": job_id}).first()
    if row is None:
        raise NotFound("There is no job with this id")
    values = dict(row._mapping)
    now: int = values.pop("now")
    return Job(**values), now


def kept_rows(job: Job) -> int:
    """How many rows the result has: as many as are counted by status; of a job with a goal only what was found has one."""
    return job.success_count if job.goal else sum(job.counts.values()) or job.processed_items


def ahead(database: Database, job: Job) -> int:
    """How many due pending jobs are older than this one; counted up to a thousand."""
    due = or_(jobs.c.run_after.is_(None), jobs.c.run_after <= now_ms())
    older = select(jobs.c.id).where(jobs.c.status == Status.PENDING, due, jobs.c.created_at < job.created_at).limit(_POSITION_CAP)
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(older.subquery())).scalar_one()


def arrivals(database: Database, hours: int = 24) -> dict[str, list[int]]:
    """Jobs per hour of creation over the last hours, oldest first, by their present status and in `total`."""
    with database.read() as connection:
        last = connection.execute(select(now_ms())).scalar_one() // HOUR_MS
        hour = (jobs.c.created_at // HOUR_MS).label("hour")
        query = select(hour, jobs.c.status, func.count()).where(jobs.c.created_at >= (last - hours + 1) * HOUR_MS)
        rows = connection.execute(query.group_by(hour, jobs.c.status)).all()
    found: dict[str, list[int]] = defaultdict(lambda: [0] * hours)
    for slot, status, count in rows:
        index = int(slot) - last + hours - 1
        for name in (status, "total"):
            found[name][index] += count
    return dict(found)


def last_reason(database: Database, job_id: str) -> str:
    """Why the job is in its state."""
    query = select(events.c.reason).where(events.c.job_id == job_id).order_by(events.c.id.desc()).limit(1)
    with database.read() as connection:
        return connection.execute(query).scalar() or ""


def next_try(database: Database, job_id: str) -> int | None:
    """When the first of a job's deferred messages is tried again (ms)."""
    d = deliveries.c
    with database.read() as connection:
        return connection.execute(select(func.min(d.due_at)).where(d.job_id == job_id, d.state == State.RETRY)).scalar()


def last_change(database: Database) -> int:
    """A number that grows with every change of the list of suppressed addresses."""
    with database.read() as connection:
        return connection.execute(select(func.max(suppression_events.c.id))).scalar_one() or 0


def ended_before(database: Database, days: int) -> int:
    """How many jobs a cleanup of that age would delete."""
    query = select(func.count()).select_from(jobs).where(jobs.c.completed_at <= now_ms() - days * 24 * HOUR_MS)
    with database.read() as connection:
        return connection.execute(query).scalar_one()
