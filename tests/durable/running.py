"""Running engines inside a test, and waiting for what they should bring about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from engine.durable.contract import JobType
from engine.durable.database import Database
from engine.durable.executor import LocalExecutor
from engine.durable.queries import get
from engine.durable.service import Duty, EngineService, Options
from engine.durable.tables import Job
from engine.durable.vault import Vault

PATIENCE = 60.0
"""Seconds that a condition may take on a slow and busy machine."""


@asynccontextmanager
async def engine(
    database: Database,
    vault: Vault,
    *types: JobType,
    concurrency: int = 500,
    parent: int | None = None,
    further: Sequence[tuple[Duty, float]] = (),
) -> AsyncIterator[EngineService]:
    """An engine at work; at the end of the block it is stopped as by SIGTERM."""
    options = Options(concurrency, 0, "test", parent)
    service = EngineService(database, vault, {t.name: t for t in types}, LocalExecutor(), options, further)
    task = asyncio.create_task(service.run())
    try:
        await until(lambda: bool(service.id) or task.done(), "the engine to start")
        yield service
    finally:
        service.stop()
        async with asyncio.timeout(PATIENCE):
            await task


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds; it runs in a thread, as it may ask the database."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await asyncio.to_thread(condition):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # another process may be the one to bring it about
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}") from None


async def until_job(database: Database, job_id: str, condition: Callable[[Job], bool], what: str) -> Job:
    """Wait until the condition holds for the job; the job as it is then."""
    await until(lambda: condition(get(database, job_id)), what)
    return get(database, job_id)


async def ended(database: Database, *job_ids: str) -> list[Job]:
    """The jobs, once all of them have ended."""
    for job_id in job_ids:
        await until_job(database, job_id, lambda job: job.ended, "the job to end")
    return [get(database, job_id) for job_id in job_ids]
