"""The timeline: every change of a job's state is a row with its reason, written in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.states import Status
from engine.durable.tables import Event, events


def record(
    connection: Connection, job_ids: Iterable[str], before: str | None, after: Status, reason: str, engine: str | None = None
) -> None:
    """Add one line to the timeline of each job."""
    change = {"from_status": before, "to_status": after, "reason": reason, "engine_id": engine}
    rows = [{"job_id": job_id, **change} for job_id in job_ids]
    if rows:
        connection.execute(insert(events).values(at=now_ms()), rows)


def timeline(database: Database, job_id: str) -> list[Event]:
    """A job's timeline, oldest first."""
    with database.session() as session:
        statement = select(Event).where(events.c.job_id == job_id).order_by(events.c.id)
        return list(session.scalars(statement))
