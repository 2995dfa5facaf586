"""What only a cluster can do: die, come back, and keep nothing."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.durable.chunks import stream_tables
from engine.durable.contract import Batch, Done, Json, Snooze
from engine.durable.dask_executor import DaskExecutor
from engine.durable.migrate import open_database
from engine.durable.service import EngineService, Options
from engine.durable.states import Status
from engine.durable.submit import Request, submit
from engine.durable.tables import jobs
from engine.durable.vault import Vault
from engine.errors import ConfigError
from tests.executors import toys
from tests.executors.conftest import DEADLINE_SECONDS, NEEDS_DASK, ROOT, Cluster, wait_for
from tests.executors.toys import Params, toy

pytestmark = [NEEDS_DASK, pytest.mark.dask]
BATCH = Batch(0, 0, 3, 6)
SECRET = "sk-0123456789abcdef"


async def forget(state: Json) -> None:
    """Committed nowhere."""


async def run(executor: DaskExecutor, process: Any, folder: Path | str = "", save: Any = forget) -> Any:
    return await executor.run(toy(process), BATCH, Params(folder=str(folder)), {"key": SECRET}, save)


async def started(folder: Path) -> int:
    """The process where the batch runs, once it does."""
    file = folder / "started"
    await asyncio.to_thread(wait_for, lambda: file.exists() and file.read_text(), "the batch to start")
    return int(file.read_text())


@pytest.fixture
async def executor(cluster: Cluster) -> AsyncIterator[DaskExecutor]:
    made = DaskExecutor.connect(cluster.address, toys.doors)
    yield made
    await made.close()


async def test_batches_run_in_the_workers(executor: DaskExecutor) -> None:
    processes: set[int] = set()
    while len(processes) < 2:
        outcomes = await asyncio.gather(*(run(executor, toys.slow) for _ in range(16)))
        processes |= {outcome.rows.column("pid")[0].as_py() for outcome in outcomes}
    assert os.getpid() not in processes


async def test_an_exception_that_cannot_be_pickled_is_told(executor: DaskExecutor) -> None:
    with pytest.raises(RuntimeError, match=r"ValueError: \('holds a loop'"):
        await run(executor, toys.unpicklable)


async def test_a_batch_that_exits_does_not_take_the_worker_along(executor: DaskExecutor) -> None:
    with pytest.raises(RuntimeError, match="SystemExit: 3"):
        await run(executor, toys.leaves)
    assert isinstance(await run(executor, toys.count), Done)


async def test_an_exception_says_where_it_was_raised(executor: DaskExecutor) -> None:
    with pytest.raises(toys.OddError) as raised:
        await run(executor, toys.odd)
    assert "toys.py" in "".join(raised.value.__notes__)


async def test_a_process_that_workers_cannot_find_is_an_error(executor: DaskExecutor) -> None:
    async def inner(batch: Batch, params: Params, tools: Any) -> Done:
        return toys.numbered(batch)

    with pytest.raises((pickle.PicklingError, AttributeError), match="inner"):
        await run(executor, inner)


async def test_nothing_stays_in_the_cluster_and_no_secret_is_ever_seen(cluster: Cluster, tmp_path: Path) -> None:
    from distributed import Client

    executor = DaskExecutor.connect(cluster.address, toys.doors)
    held = asyncio.create_task(run(executor, toys.waits, tmp_path))
    await started(tmp_path)
    async with Client(cluster.address, asynchronous=True, set_as_default=False) as observer:
        during = await state_of(observer)
        assert "toy-waits" in during
        held.cancel()
        await asyncio.wait({held})
        for process in (toys.count, toys.odd, toys.saves):
            await asyncio.wait({asyncio.create_task(run(executor, process))})
        await executor.close()
        await asyncio.wait_for(observer.run_on_scheduler(forgotten), DEADLINE_SECONDS)
        after = await state_of(observer)
    assert SECRET not in during + after + cluster.log
    assert "Message from" in cluster.log, "the cluster logs everything it can"


async def state_of(observer: Any) -> str:
    """Everything the scheduler and the workers would tell about themselves."""
    from distributed.cluster_dump import DEFAULT_CLUSTER_DUMP_EXCLUDE

    dump = await observer.scheduler.get_cluster_state(exclude=DEFAULT_CLUSTER_DUMP_EXCLUDE)
    return repr(dump)


async def forgotten(dask_scheduler: Any) -> None:
    """On the scheduler: wait until no task is left."""
    while dask_scheduler.tasks:  # noqa: ASYNC110 - another's state, without an event
        await asyncio.sleep(0.02)


async def test_a_killed_worker_costs_only_what_was_not_saved(executor: DaskExecutor, tmp_path: Path) -> None:
    saved: list[Json] = []

    async def save(state: Json) -> None:
        saved.append(state)

    task = asyncio.create_task(run(executor, toys.outlives, tmp_path, save))
    first = await started(tmp_path)
    os.kill(first, signal.SIGKILL)
    outcome = await task
    assert isinstance(outcome, Snooze)
    assert outcome.state["state"] == "begun", "the second run starts from the cursor that the first had saved"
    assert outcome.state["pid"] != first
    assert saved == ["begun"]


async def test_a_worker_that_is_stopped_hands_its_batch_on(executor: DaskExecutor, cluster: Cluster, tmp_path: Path) -> None:
    task = asyncio.create_task(run(executor, toys.outlives, tmp_path))
    first = await started(tmp_path)
    worker = next(worker for worker in cluster.workers if worker.pid == first)
    worker.terminate()
    outcome = await task
    assert outcome.state["pid"] != first
    await asyncio.to_thread(wait_for, lambda: worker.poll() is not None, "the worker to end")


async def test_a_batch_that_kills_its_workers_is_an_error(executor: DaskExecutor, cluster: Cluster) -> None:
    from distributed import Client, KilledWorker

    async with Client(cluster.address, asynchronous=True, set_as_default=False) as observer:
        before = await observer.run_on_scheduler(allow_failures, 0)
        with pytest.raises(KilledWorker):
            await run(executor, toys.poison)
        await observer.run_on_scheduler(allow_failures, before)


def allow_failures(number: int, dask_scheduler: Any) -> int:
    """On the scheduler: how many workers a task may cost; gives what it was."""
    before, dask_scheduler.allowed_failures = dask_scheduler.allowed_failures, number
    return int(before)


async def test_the_cluster_may_come_late_go_and_come_back(own_cluster: Cluster, tmp_path: Path) -> None:
    """No scheduler at first; then all of it is killed while a batch runs, and starts again; then it is gone for good."""
    executor = DaskExecutor.connect(own_cluster.address, toys.doors)
    own_cluster.close()
    task = asyncio.create_task(run(executor, toys.outlives, tmp_path))
    own_cluster.start_scheduler()
    own_cluster.start_worker()
    first = await started(tmp_path)
    own_cluster.close()
    own_cluster.start_scheduler()
    own_cluster.start_worker()
    outcome = await task
    assert outcome.state["state"] == "begun"
    assert outcome.state["pid"] != first
    waiting = asyncio.create_task(run(executor, toys.waits, tmp_path))
    own_cluster.close()
    waiting.cancel()
    await asyncio.wait({waiting})
    await asyncio.wait_for(executor.close(), DEADLINE_SECONDS)


ENGINE = """
import asyncio, sys
from tests.executors import test_dask, toys
executor = test_dask.DaskExecutor.connect(sys.argv[1], toys.doors)
asyncio.run(test_dask.run(executor, toys.waits, sys.argv[2]))
"""


def test_a_killed_engine_leaves_no_batch_running(cluster: Cluster, tmp_path: Path) -> None:
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, cluster.address, str(tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL)
    wait_for((tmp_path / "started").exists, "the batch to start")
    engine.kill()
    engine.wait()
    wait_for((tmp_path / "stopped").exists, "the batch to be stopped")


async def test_an_engine_completes_a_job_on_the_cluster(cluster: Cluster, tmp_path: Path) -> None:
    job_type = toy(toys.journey)
    database = open_database(f"sqlite:///{tmp_path / 'postbench.db'}")
    vault = Vault.open(None, tmp_path)
    request = Request(job_type, {"items": 40, "batch": 10, "folder": str(tmp_path), "key": SECRET})
    job_id = submit(database, vault, request).job_id
    executor = DaskExecutor.connect(cluster.address, toys.doors)
    service = EngineService(database, vault, {job_type.name: job_type}, executor, Options(100, 0, "test"))
    working = asyncio.create_task(service.run())

    def ended() -> bool:
        with database.read() as connection:
            status = connection.execute(select(jobs.c.status).where(jobs.c.id == job_id)).scalar_one()
        return status in (Status.COMPLETED, Status.FAILED)

    await asyncio.to_thread(wait_for, ended, "the job to end")
    service.stop()
    await working
    numbers = [number for rows in stream_tables(database, job_id, "output") for number in rows.column("number").to_pylist()]
    assert numbers == list(range(40))
    database.close()


def test_without_dask_the_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"POSTBENCH_EXECUTOR.*postbench\[dask\]"):
        DaskExecutor.connect("127.0.0.1:1", toys.doors)
