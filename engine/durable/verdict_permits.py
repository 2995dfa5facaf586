"""Permits to probe synthetic addresses: never more than a cap per job and domain, whoever asks, however often."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError

from engine.durable.database import Database
from engine.durable.tables import jobs
from engine.durable.tables import probe_permits as permits


def permit(database: Database, job_id: str, domain: str, addresses: Sequence[str], cap: int) -> set[str]:
    """Which of the addresses this job may probe: those permitted before, then the first others until `cap` is reached.

    Permits last as long as the job; a job that is gone gets none.
    """
    asked = list(dict.fromkeys(addresses))
    with database.read() as connection:
        before = _permitted(connection, job_id, domain)
    if len(before) >= cap or before.issuperset(asked):
        return before.intersection(asked)
    try:
        return database.transact(lambda connection: _permit(connection, job_id, domain, asked, cap))
    except IntegrityError:  # deleted between the look and the insert
        return set()


def _permit(connection: Connection, job_id: str, domain: str, asked: Sequence[str], cap: int) -> set[str]:
    if connection.dialect.name == "postgresql":  # SQLite has only one writer anyway
        lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        connection.execute(lock, {"name": f"probe-permit {job_id} {domain}"})
    if connection.execute(select(jobs.c.id).where(jobs.c.id == job_id)).first() is None:
        return set()
    before = _permitted(connection, job_id, domain)
    fresh = list(islice((address for address in asked if address not in before), max(0, cap - len(before))))
    if fresh:
        rows = [{"job_id": job_id, "domain": domain, "address": address} for address in fresh]
        connection.execute(insert(permits), rows)
    return before.intersection(asked) | set(fresh)


def _permitted(connection: Connection, job_id: str, domain: str) -> set[str]:
    mine = select(permits.c.address).where(permits.c.job_id == job_id, permits.c.domain == domain)
    return set(connection.execute(mine).scalars())
