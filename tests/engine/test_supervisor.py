"""The web process's child: one engine where none works, a new one when it dies, none when it is not wanted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine import supervisor as module
from engine.durable import engines
from engine.settings import Settings
from engine.supervisor import Supervisor
from engine.workbench import Workbench
from tests.durable.running import until


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A workbench with data of its own; the child finds it through the environment."""
    monkeypatch.setenv("POSTBENCH_DATA_DIR", str(tmp_path))
    return Workbench.open(Settings())


@asynccontextmanager
async def supervised(workbench: Workbench) -> AsyncIterator[Supervisor]:
    found = Supervisor(workbench)
    try:
        yield found
    finally:
        await found.stop()
        workbench.database.close()


def pids(workbench: Workbench) -> list[int]:
    return [record.pid for record in engines.living(workbench.database)]


async def test_it_starts_one_engine_replaces_a_dead_one_and_stops_it(workbench: Workbench) -> None:
    async with supervised(workbench) as supervisor:
        first = await supervisor.start()
        assert first is not None and pids(workbench) == [first.pid]
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: pids(workbench) not in ([], [first.pid]), "another engine")
        assert len(pids(workbench)) == 1
    assert pids(workbench) == []
    stopped = [state for state in engines.recent(workbench.database) if state.record.stopped_at is not None]
    assert len(stopped) == 1, "the second engine said goodbye; the first could not"
    workbench.database.close()


async def test_it_starts_none_where_one_works(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    already = engines.register(workbench.database, "test")
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.001)
    async with supervised(workbench) as supervisor:
        looks = 0
        honest = supervisor._alone

        async def counted() -> bool:
            nonlocal looks
            looks += 1
            return await honest()

        monkeypatch.setattr(supervisor, "_alone", counted)
        found = await supervisor.start()
        assert found is not None and found.id == already
        await until(lambda: looks > 5, "some looks")
        assert pids(workbench) == [os.getpid()]


async def test_it_starts_none_where_none_is_wanted(tmp_path: Path) -> None:
    off = Workbench.open(Settings(engine="off", data_dir=tmp_path))
    async with supervised(off) as supervisor:
        assert await supervisor.start() is None
        assert pids(off) == []


async def test_it_goes_on_when_a_child_cannot_be_started(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([OSError("no memory")] * 2)
    honest = Supervisor._spawn

    def flaky(self: Supervisor) -> object:
        for error in failures:
            raise error
        return honest(self)

    monkeypatch.setattr(Supervisor, "_spawn", flaky)
    monkeypatch.setattr(module, "_BACKOFF_SECONDS", (0.0,))
    async with supervised(workbench) as supervisor:
        assert await supervisor.start() is not None


async def test_a_child_that_dies_at_once_is_started_ever_more_slowly(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    honest = asyncio.sleep

    async def recorded(seconds: float) -> None:
        if seconds in module._BACKOFF_SECONDS:
            waits.append(seconds)
        await honest(0.001)

    def stillborn(self: Supervisor) -> subprocess.Popen[bytes]:
        self._started = time.monotonic()
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])

    monkeypatch.setattr(Supervisor, "_spawn", stillborn)
    monkeypatch.setattr(module, "START_SECONDS", 0.0)
    monkeypatch.setattr(asyncio, "sleep", recorded)
    async with supervised(workbench) as supervisor:
        assert await supervisor.start() is None
        async with asyncio.timeout(60):
            while len(waits) < 4:
                await honest(0.01)
    assert waits[:4] == list(module._BACKOFF_SECONDS[:4])
