"""The line in front of a transport: never more than its places, fair between jobs, no place lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from engine.sending.line import Line


async def begun(line: Line, jobs: Sequence[str], log: list[str]) -> list[asyncio.Task[None]]:
    """One visitor of each job in order; each says when it has its place, and keeps it for a moment."""

    async def visit(job: str) -> None:
        async with line.place(job):
            log.append(job)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(visit(job)) for job in jobs]
    await asyncio.sleep(0)
    return tasks


async def test_jobs_take_turns_however_many_wait():
    line, log = Line(1), list[str]()
    async with line.place("other"):
        tasks = await begun(line, ["large"] * 5 + ["small"] * 2, log)
    await asyncio.gather(*tasks)
    assert log == ["large", "small", "large", "small", "large", "large", "large"]


async def test_never_more_than_the_places():
    line, inside, most = Line(3), 0, 0

    async def visit(job: str) -> None:
        nonlocal inside, most
        async with line.place(job):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(visit(f"job {n % 4}") for n in range(60)))
    assert (most, inside) == (3, 0)


@pytest.mark.parametrize("late", [False, True])
async def test_a_visitor_that_gives_up_costs_no_place(late: bool):
    line = Line(1)
    async with line.place("a"):
        waiting = asyncio.create_task(begun(line, ["b"], []))
        (task,) = await waiting
        if not late:
            task.cancel()
            await asyncio.wait([task])
    if late:
        task.cancel()  # in the very moment in which the place became its own
        await asyncio.wait([task])
    log: list[str] = []
    await asyncio.gather(*await begun(line, ["c", "d"], log))
    assert log == ["c", "d"]
