"""A job with a goal ends when enough is found, and gives the same rows however its batches race."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.durable import control
from engine.durable.chunks import encode
from engine.durable.contract import Batch, Done, JobType, Plan, Snooze, Source, Tools
from engine.durable.database import Database
from engine.durable.goal import Goal, Ready
from engine.durable.queries import get
from engine.durable.schema import rows_table
from engine.durable.vault import Vault
from tests.durable.running import ended, engine, until_job
from tests.durable.store import new_job, output, reasons
from tests.toys import COUNT_SCHEMA, CountParams, CountRow

pytestmark = pytest.mark.usefixtures("no_pauses")
GOAL = 7


def sevens(start: int, stop: int, share: int = 3) -> Done:
    """Every third candidate is a success; each success is a row."""
    rows = [CountRow(number=n, parity="odd") for n in range(start, stop) if n % share == 0]
    return Done(rows_table(rows, COUNT_SCHEMA), len(rows), stop - start - len(rows), {"tried": stop - start})


async def racing(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
    await asyncio.sleep(random.random() / 50)
    return sevens(batch.start, batch.stop)


def plan(params: CountParams, source: Source | None) -> Plan:
    return Plan(params.count, params.batch, goal=GOAL)


def hunting(process: Any = racing) -> JobType:
    return JobType("count", "Hunt", "🔢", "Hunts.", CountParams, CountRow, plan, process)


async def test_it_ends_with_exactly_as_many_as_wanted(database: Database, vault: Vault):
    async with engine(database, vault, hunting()):
        [job] = await ended(database, new_job(database, vault, hunting(), count=10_000, batch=4))
    assert output(database, job.id) == [0, 3, 6, 9, 12, 15, 18]
    assert (job.status, job.success_count, job.progress, job.goal) == ("completed", GOAL, 100.0, GOAL)
    assert job.processed_items == job.total_items == job.success_count + job.failed_count == job.counts["tried"] == 20
    assert job.batches_done == job.batches == 5
    assert reasons(database, job.id)[-1][2] == "as many as wanted were found"


async def test_it_ends_when_the_candidates_are_used_up(database: Database, vault: Vault):
    async with engine(database, vault, hunting()):
        [job] = await ended(database, new_job(database, vault, hunting(), count=10, batch=4))
    assert output(database, job.id) == [0, 3, 6, 9]
    assert (job.status, job.success_count, job.processed_items, job.total_items) == ("completed", 4, 10, 10)


async def test_it_asks_for_few_more_than_it_needs(sqlite_database: Database, vault: Vault):
    asked: list[int] = []

    async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
        asked.append(batch.number)
        return await racing(batch, params, tools)

    async with engine(sqlite_database, vault, hunting(process)):
        await ended(sqlite_database, new_job(sqlite_database, vault, hunting(process), count=10_000, batch=1))
    assert max(asked) <= 40, "19 candidates were needed"


async def test_it_goes_on_where_it_was(database: Database, vault: Vault):
    """Paused in the middle and resumed on another engine: the same rows."""
    held = asyncio.Event()

    async def stalling(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
        if batch.number >= 3:
            await held.wait()
        return sevens(batch.start, batch.stop)

    async with engine(database, vault, hunting(stalling)):
        job_id = new_job(database, vault, hunting(stalling), count=10_000, batch=4)
        await until_job(database, job_id, lambda job: job.success_count >= 4, "three batches")
        control.pause(database, job_id)
    control.resume(database, job_id)
    async with engine(database, vault, hunting()):
        [job] = await ended(database, job_id)
    assert output(database, job_id) == [0, 3, 6, 9, 12, 15, 18]
    assert job.processed_items == job.total_items == 20


async def test_running_it_again_plans_anew(sqlite_database: Database, vault: Vault):
    async with engine(sqlite_database, vault, hunting()):
        [job] = await ended(sqlite_database, new_job(sqlite_database, vault, hunting(), count=10_000, batch=4))
        again = control.rerun(sqlite_database, vault, job.id, hunting())
        assert get(sqlite_database, again).total_items == 10_000
        await ended(sqlite_database, again)
    assert output(sqlite_database, again) == output(sqlite_database, job.id)


def test_progress_follows_the_goal(sqlite_database: Database, vault: Vault):
    job = get(sqlite_database, new_job(sqlite_database, vault, hunting(), count=10_000, batch=4))
    job.processed_items, job.success_count, job.status, job.rate = 100, 3, "running", 10.0
    assert job.progress == 42.8
    assert job.eta_seconds == pytest.approx(13.3)


@given(st.permutations(list(range(12))), st.integers(1, 40))
def test_the_order_of_arrival_does_not_matter(order: list[int], goal: int):
    wanted = Goal(Plan(36, 3, goal), 0, 0, 0)
    taken: list[Ready] = []
    for number in order:
        outcome = sevens(3 * number, 3 * number + 3)
        taken.extend(wanted.take(Ready(number, outcome, outcome.rows.num_rows, encode(outcome.rows))))
    found = min(goal, 12)
    assert sum(ready.outcome.succeeded for ready in taken) == sum(ready.rows for ready in taken) == found
    assert [ready.number for ready in taken] == list(range(found))


def test_a_job_without_a_goal_takes_what_comes():
    outcome = sevens(0, 3)
    ready = Ready(5, outcome, 1, encode(outcome.rows))
    free = Goal(Plan(36, 3), 0, 0, 0)
    assert list(free.take(ready)) == [ready] and free.wants(1000) and not free.reached
