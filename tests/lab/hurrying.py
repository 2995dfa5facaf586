"""Time that passes when a test says so: what waits for a silent server is given up at once, however patient it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from tests.lab.running import LabServer

TURNS = 20
"""Turns of the loop that a client needs at most from its last word to its wait for an answer, and from time-out to time-out."""
STEPS = 20
"""Parts in which time passes, so that what ends a little earlier ends first."""
_passed: WeakKeyDictionary[asyncio.AbstractEventLoop, list[float]] = WeakKeyDictionary()


def pass_time(seconds: float) -> None:
    """Move the running event loop's clock on: its timers, rates and pauses."""
    loop = asyncio.get_running_loop()
    if loop not in _passed:
        passed, before = [0.0], loop.time
        _passed[loop] = passed
        loop.time = lambda: before() + passed[0]  # type: ignore[method-assign]
    _passed[loop][0] += seconds


@asynccontextmanager
async def hurried(server: LabServer, seconds: float) -> AsyncIterator[None]:
    """Within the block that many seconds pass each time the server begins to leave somebody without an answer.

    So a time-out can be longer than any busy machine takes for an answer, and yet no test waits for its end. It ends other
    waits of the loop as well: for tests with one client at a time.
    """

    seen = server.stalls

    async def watch() -> None:
        nonlocal seen
        while True:
            if server.stalls > seen:
                seen += 1
                for _ in range(STEPS):
                    await _turns()
                    pass_time(seconds / STEPS)
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
