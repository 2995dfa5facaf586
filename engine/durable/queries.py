"""Reading jobs: one, a page of a filtered list, counts by status, throughput."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select, tuple_

from engine.durable import keyset
from engine.durable.clock import now_ms
from engine.durable.commit import SLOT_MS
from engine.durable.database import Database
from engine.durable.states import Status
from engine.durable.tables import Job, batch_states, jobs, throughput
from engine.errors import InvalidInput, NotFound

MAX_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs: all conditions must hold. `q` is an id prefix, or part of the type or of the parameters."""

    type: str | None = None
    status: str | None = None
    user_id: str | None = None
    q: str | None = None

    def condition(self) -> ColumnElement[bool]:
        """The WHERE clause."""
        if self.status is not None and self.status not in set(Status):
            raise InvalidInput.of("status", f"must be one of {', '.join(Status)}")
        terms = [getattr(jobs.c, f.name) == value for f in fields(self) if f.name != "q" and (value := getattr(self, f.name))]
        if self.q:
            terms.append(or_(*_search(self.q)))
        return and_(True, *terms)


def _search(text: str) -> list[ColumnElement[bool]]:
    literal = text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    anywhere = f"%{literal}%"
    return [
        jobs.c.id.like(f"{literal}%", escape="\\"),
        jobs.c.type.ilike(anywhere, escape="\\"),
        cast(jobs.c.params, String).ilike(anywhere, escape="\\"),
    ]


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs, newest first; `cursor` continues it, None at the end."""

    jobs: list[Job]
    cursor: str | None


def get(database: Database, job_id: str) -> Job:
    """A job.

    Raises:
        NotFound: there is none with this id.
    """
    with database.session() as session:
        job = session.get(Job, job_id)
    if job is None:
        raise NotFound("There is no job with this id")
    return job


def listed(database: Database, wanted: Filter | None = None, limit: int = 50, cursor: str | None = None) -> JobPage:
    """A page of the list by keyset: stable while jobs are added, as fast on page 1,000 as on page 1."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput.of("limit", f"must be between 1 and {MAX_LIMIT}")
    query = select(Job).where((wanted or Filter()).condition())
    if cursor:
        query = query.where(tuple_(jobs.c.created_at, jobs.c.id) < tuple_(*keyset.position(cursor)))
    query = query.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit + 1)
    with database.session() as session:
        found = list(session.scalars(query))
    more = found[limit - 1] if len(found) > limit else None
    return JobPage(found[:limit], keyset.cursor(more.created_at, more.id) if more else None)


def stats(database: Database, wanted: Filter | None = None) -> dict[str, int]:
    """How many jobs are in each state, and in `total`; a filter's own status is ignored."""
    query = select(jobs.c.status, func.count()).group_by(jobs.c.status)
    if wanted is not None:
        query = query.where(replace(wanted, status=None).condition())
    with database.read() as connection:
        found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    return {"total": sum(found.values())} | {status.value: found.get(status, 0) for status in Status}


def pace(database: Database, minutes: int = 10) -> list[tuple[int, int]]:
    """Items committed per ten-second slot over the last minutes, all engines: [(slot start in ms, items)], without gaps."""
    with database.read() as connection:
        now = connection.execute(select(now_ms())).scalar_one() // SLOT_MS
        first = now - minutes * 60_000 // SLOT_MS + 1
        query = select(throughput.c.slot, func.sum(throughput.c.item_count)).where(throughput.c.slot >= first)
        found = {slot: int(items) for slot, items in connection.execute(query.group_by(throughput.c.slot))}
    return [(slot * SLOT_MS, found.get(slot, 0)) for slot in range(first, now + 1)]


def why_parked(database: Database, job_id: str) -> str:
    """What the parked batch that is due first says of its wait, see `Snooze`; "" where it says nothing."""
    mine = (batch_states.c.job_id == job_id) & batch_states.c.due_at.is_not(None)
    with database.read() as connection:
        state = connection.execute(select(batch_states.c.state).where(mine).order_by(batch_states.c.due_at).limit(1)).scalar()
    return str(state.get("why") or "") if isinstance(state, dict) else ""


def revisions(database: Database, job_ids: list[str]) -> dict[str, int]:
    """The revision of each job that still exists; it grows with every change."""
    with database.read() as connection:
        rows = connection.execute(select(jobs.c.id, jobs.c.revision).where(jobs.c.id.in_(job_ids)))
        return {row.id: row.revision for row in rows}
