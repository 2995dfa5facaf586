"""What every executor does alike."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.durable.contract import Batch, Done, Json, Snooze
from engine.durable.executor import Executor
from tests.executors import toys
from tests.executors.conftest import wait_for
from tests.executors.toys import Params, toy

BATCH = Batch(1, 3, 6, 6)


async def nowhere(state: Json) -> None:
    raise AssertionError("nothing was to be saved")


async def run(executor: Executor, process: Any, batch: Batch = BATCH, params: Params | None = None, save: Any = nowhere) -> Any:
    return await executor.run(toy(process), batch, params or Params(), {"key": "s3cret"}, save)


async def snoozed(executor: Executor, process: Any, **more: Any) -> Any:
    """The state of the snooze that is the outcome."""
    outcome = await run(executor, process, **more)
    assert isinstance(outcome, Snooze)
    return outcome.state


async def test_rows_and_numbers_come_back(executor: Executor) -> None:
    # A slice of a longer table, as the input of a batch is.
    batch = Batch(1, 3, 6, 6, toys.table(1000).slice(3, 3))
    outcome = await run(executor, toys.carried, batch)
    assert isinstance(outcome, Done)
    assert outcome.rows.column_names == ["email", "kind", "number", "pid"]
    assert outcome.rows.column("email").to_pylist() == ["user3@example.com", "user4@example.com", "user5@example.com"]
    assert outcome.rows.column("kind").to_pylist() == ["a", "b", "a"]
    assert pa.types.is_dictionary(outcome.rows.schema.field("kind").type)
    assert (outcome.succeeded, outcome.failed) == (1, 2)
    assert (outcome.counts, outcome.tallies) == ({"valid": 1, "invalid": 2}, {"provider": {"gmail.com": 3}})


async def test_column_descriptions_come_back(executor: Executor) -> None:
    outcome = await run(executor, toys.count)
    assert outcome.rows.schema.equals(toys.SCHEMA, check_metadata=True)


async def test_a_snooze_comes_back_with_its_state(executor: Executor) -> None:
    outcome = await run(executor, toys.snooze, Batch(1, 3, 6, 6, state={"tries": 2}))
    assert outcome == Snooze(toys.UNTIL, {"seen": [1, {"tries": 2}]}, all=True)


@pytest.mark.parametrize(
    ("process", "kind", "text"),
    [
        (toys.odd, toys.OddError, "email: is empty"),
        (toys.lookup, KeyError, "'missing'"),
        (toys.refused, ConnectionRefusedError, r"\[Errno 111\] refused"),
    ],
)
async def test_exceptions_come_out_as_they_are(executor: Executor, process: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text) as raised:
        await run(executor, process)
    assert type(raised.value) is kind
    assert getattr(raised.value, "field", "email") == "email"


async def test_save_returns_once_committed(executor: Executor) -> None:
    seen: list[Any] = []

    async def save(state: Json) -> None:
        seen.append(("asked", state))
        await asyncio.sleep(0.02)
        seen.append(("committed", state))

    assert await snoozed(executor, toys.saves, save=save) == "saved"
    assert seen == [(word, {"page": page}) for page in range(3) for word in ("asked", "committed")]


async def test_saves_at_once_keep_their_order(executor: Executor) -> None:
    seen: list[int] = []

    async def save(state: Json) -> None:
        seen.append(state)

    await snoozed(executor, toys.saves_at_once, save=save)
    assert seen == [0, 1, 2, 3, 4]


async def test_what_save_raises_comes_to_process(executor: Executor) -> None:
    async def save(state: Json) -> None:
        raise LookupError("the job is gone")

    assert await snoozed(executor, toys.told, save=save) == "LookupError('the job is gone')"


async def test_tools_are_there_and_doors_are_made_once(executor: Executor) -> None:
    before = datetime.now(UTC)
    outcomes = await asyncio.gather(*(run(executor, toys.tool_report) for _ in range(12)))
    assert all(isinstance(outcome, Snooze) and outcome.until >= before for outcome in outcomes)
    states = [outcome.state for outcome in outcomes]
    assert all(state["secrets"] == {"key": "s3cret"} for state in states)
    assert all(state["same"] for state in states), "doors are used in the loop they were made in"
    assert len({(state["pid"], state["serial"]) for state in states}) == len({state["pid"] for state in states})


async def test_many_batches_at_once(executor: Executor) -> None:
    batches = [Batch(n, 10 * n, 10 * n + 10, 400) for n in range(40)]
    outcomes = await asyncio.gather(*(run(executor, toys.slow, batch) for batch in batches))
    assert [outcome.rows.column("number")[0].as_py() for outcome in outcomes] == [10 * n for n in range(40)]


async def test_batches_that_are_to_stay_here_run_in_this_process(executor: Executor) -> None:
    staying = replace(toy(toys.count), here=True)
    outcome = await executor.run(staying, BATCH, Params(), {}, nowhere)
    assert isinstance(outcome, Done) and set(outcome.rows["pid"].to_pylist()) == {os.getpid()}


async def test_cancelling_stops_the_batch(executor: Executor, tmp_path: Path) -> None:
    task = asyncio.create_task(run(executor, toys.waits, params=Params(folder=str(tmp_path))))
    await asyncio.to_thread(wait_for, (tmp_path / "started").exists, "the batch to start")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(wait_for, (tmp_path / "stopped").exists, "the batch to be stopped")
    assert (await run(executor, toys.count)).succeeded == 3


async def test_close_twice_and_unused(executor: Executor) -> None:
    await executor.close()
