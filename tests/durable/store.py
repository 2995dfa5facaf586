"""Steps that many store tests take: submit, claim, commit batches, read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import text, update

from engine.durable import engines, lease
from engine.durable.chunks import encode, spans, stream_tables
from engine.durable.commit import Finished, Kept, Part, commit
from engine.durable.contract import JobType
from engine.durable.database import Database
from engine.durable.queries import get
from engine.durable.states import Status
from engine.durable.submit import Request, submit
from engine.durable.tables import EngineRecord, Job, jobs
from engine.durable.timeline import timeline
from engine.durable.totals import Totals
from engine.durable.vault import Vault
from tests.toys import COUNT, COUNT_SCHEMA, LOOK, numbers

ENGINE = "engine-of-the-test"
TYPES = [COUNT.name, LOOK.name]


def new_job(database: Database, vault: Vault, job_type: JobType = COUNT, **more: Any) -> str:
    """Submit a job; keywords that the request knows go there, all others are parameters."""
    known = {"user_id", "run_after", "from_job", "where", "rows", "idempotency_key"}
    request = {name: more.pop(name) for name in known & more.keys()}
    return submit(database, vault, Request(job_type, more, **request)).job_id


def claim_one(database: Database, engine: str = ENGINE) -> Job:
    """Claim exactly one job."""
    found = lease.claim(database, engine, TYPES, 1)
    assert len(found) == 1, "there is no job to claim"
    return found[0]


def running_job(database: Database, vault: Vault, **params: Any) -> Job:
    """Submit a job and claim it."""
    job_id = new_job(database, vault, **params)
    job = claim_one(database)
    assert job.id == job_id
    return job


def register(database: Database) -> str:
    """This process as an engine."""
    return engines.register(database, "test")


def part(
    job: Job, batches: Iterable[int] = (), kept: Sequence[Kept] = (), outcome: Status | None = None, reason: str = "", **more: Any
) -> Part:
    """What an engine would commit after these batches of a counting job, on top of what `job` says is committed."""
    outcomes = [numbers(*span(job, number)) for number in batches]
    finished = [Finished(n, o.rows.num_rows, encode(o.rows)) for n, o in zip(batches, outcomes, strict=True)]
    items = sum(o.succeeded for o in outcomes)
    totals = Totals.of(job).plus(outcomes)
    return Part(
        job.id,
        job.type,
        job.lease,
        job.engine_id or ENGINE,
        totals,
        finished,
        kept,
        items,
        outcome=outcome,
        reason=reason,
        **more,
    )


def span(job: Job, number: int) -> tuple[int, int]:
    """First item and end of a batch."""
    return number * job.batch_size, min((number + 1) * job.batch_size, job.total_items)


def commit_batches(database: Database, job_id: str, batches: Iterable[int], **more: Any) -> bool:
    """Commit batches of a job as its holder; whether the fence held."""
    return bool(commit(database, [part(get(database, job_id), list(batches), **more)]))


def complete(database: Database, vault: Vault, **params: Any) -> str:
    """A completed counting job."""
    job = running_job(database, vault, **params)
    assert commit_batches(database, job.id, range(job.batches), outcome=Status.COMPLETED, reason="all batches are done")
    return job.id


def committed(database: Database, job_id: str) -> list[int]:
    """The batches that have a chunk."""
    return [number for span in spans(database, job_id, "output") for number in range(span.number, span.last + 1)]


def output(database: Database, job_id: str) -> list[int]:
    """The numbers in a counting job's result, in order."""
    return table(database, job_id).column("number").to_pylist()  # type: ignore[no-any-return]


def table(database: Database, job_id: str) -> pa.Table:
    """A job's whole result."""
    return pa.concat_tables([COUNT_SCHEMA.empty_table(), *stream_tables(database, job_id, "output")], promote_options="default")


def reasons(database: Database, job_id: str) -> list[tuple[str | None, str, str]]:
    """A job's timeline as (from, to, reason)."""
    return [(event.from_status, event.to_status, event.reason) for event in timeline(database, job_id)]


def age(database: Database, job_id: str, **values: Any) -> None:
    """Set columns of a job row, such as a lease that ended long ago."""
    database.transact(lambda c: c.execute(update(jobs).where(jobs.c.id == job_id).values(**values)))


def everything(database: Database) -> dict[str, list[Any]]:
    """All rows of all tables of jobs, to see that nothing at all has changed."""
    names = ("job", "chunk", "batch_state", "event", "secret", "throughput")
    with database.read() as connection:
        return {name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")))) for name in names}


def never_dead(_engine: EngineRecord) -> bool:
    return False
