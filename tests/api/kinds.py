"""A job type of the tests' own: it takes an optional list, and its output has every kind of column."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field, SecretStr
from sqlalchemy import Connection, update

from engine.durable.chunks import encode
from engine.durable.clock import now_ms
from engine.durable.commit import Finished, Part, commit
from engine.durable.contract import Done, JobParams, JobRow, JobType, Plan, Source
from engine.durable.queries import get
from engine.durable.schema import category, output_schema, rows_table
from engine.durable.states import Status
from engine.durable.tables import jobs
from engine.durable.timeline import record
from engine.durable.totals import Totals
from engine.workbench import Workbench

ENGINE = "test-engine"
BATCH = 10


class Params(JobParams):
    """What the test asks for."""

    items_field: ClassVar[str | None] = "emails"
    secret_fields: ClassVar[frozenset[str]] = frozenset({"api_key"})
    how_many: int = Field(30, ge=1, le=10_000_000, description="rows without a list")
    emails: list[str | dict[str, Any]] | None = Field(None, description="the list")
    api_key: SecretStr | None = Field(None, description="a secret")

    @classmethod
    def needed_secrets(cls, stored):
        return frozenset({"api_key"}) if stored.get("howMany") == 7 else frozenset()


class Row(JobRow):
    """One of each kind."""

    email: str = Field(description="the address")
    status: str = Field(**category("how it went"))
    score: float | None = Field(None, description="0 to 1")
    rank: int | None = Field(None, description="place")
    fine: bool | None = Field(None, description="yes or no")
    seen: datetime | None = Field(None, description="when")


def plan(params: Params, source: Source | None) -> Plan:
    return Plan(source.rows if source else params.how_many, BATCH)


async def process(batch, params, tools):
    raise AssertionError("the tests commit by themselves")


PROBE = JobType(
    name="probe-things", title="Probe", icon=":material/science:", summary="Tests.", params=Params, row=Row, plan=plan,
    process=process, source="optional",
)  # fmt: skip


def row(number: int) -> Row:
    awkward = number % 10 == 3
    return Row(
        email=f'="o,{number}"\n@example.com' if awkward else f"user{number}@example.com",
        status="invalid" if awkward else "valid",
        score=None if awkward else number / 4,
        rank=None if awkward else number,
        fine=None if awkward else number % 2 == 0,
        seen=None if awkward else datetime(2026, 1, 2, 3, 4, number % 60, 500_000, UTC),
    )


def chunk(number: int, size: int = BATCH, before: pa.Table | None = None) -> Finished:
    rows = rows_table([row(number * BATCH + n) for n in range(size)], PROBE.columns)
    if before is not None:
        rows = pa.Table.from_arrays([*before.columns, *rows.columns], schema=output_schema(rows.schema, before.schema))
    return Finished(number, rows.num_rows, encode(rows))


def take(bench: Workbench, job_id: str) -> int:
    """Hold this one job as an engine would after its claim; returns the lease."""

    def hold(connection: Connection) -> None:
        record(connection, [job_id], Status.PENDING, Status.RUNNING, "started", ENGINE)
        held = {
            "status": Status.RUNNING,
            "engine_id": ENGINE,
            "lease": 1,
            "lease_until": now_ms() + 60_000,
            "started_at": now_ms(),
        }
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(**held, revision=jobs.c.revision + 1))

    if get(bench.database, job_id).status == Status.PENDING:
        bench.database.transact(hold)
    return get(bench.database, job_id).lease


def work(bench: Workbench, job_id: str, numbers: list[int], outcome: Status | None = None, reason: str = "done") -> None:
    """Commit batches as an engine would, and end the job if so wished."""
    lease = take(bench, job_id)
    job = get(bench.database, job_id)
    sizes = {n: min(BATCH, job.total_items - n * BATCH) for n in numbers}
    done = [Done(PROBE.columns.empty_table(), size, 0, {"valid": size}, {"age": {"20": size}}) for size in sizes.values()]
    totals = Totals.of(job).plus(done)
    part = Part(
        job_id, job.type, lease, ENGINE, totals, [chunk(n, size) for n, size in sizes.items()], outcome=outcome, reason=reason
    )
    assert commit(bench.database, [part]) == {job_id}


def complete(bench: Workbench, job_id: str) -> None:
    """Commit everything."""
    work(bench, job_id, list(range(get(bench.database, job_id).batches)), Status.COMPLETED)
