"""Keeps one engine alive as a child of the web process: starts it, restarts it when it dies, stops it with the web process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import structlog

from engine.durable import engines
from engine.durable.tables import EngineRecord
from engine.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent
CHECK_SECONDS = 0.1
START_SECONDS = 15.0
STOP_SECONDS = 15.0
STABLE_SECONDS = 2.0
"""A child that lived this long is restarted at once; one that died sooner waits longer each time."""
_BACKOFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
log = structlog.get_logger()


class Supervisor:
    """Sees to it that some engine works on this database; none is started where one already does."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._wanted = workbench.settings.engine == "auto"
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._deaths = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> EngineRecord | None:
        """Begin to supervise; returns the engine that works, or None when none is wanted or none came up in time."""
        if self._wanted:
            self._task = asyncio.create_task(self._supervise(), name="supervisor")
        deadline = time.monotonic() + START_SECONDS
        while True:
            if found := await asyncio.to_thread(self._living):
                return found[0]
            if not self._wanted or time.monotonic() > deadline:
                return None
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stop the child cleanly; its jobs are given back."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                await asyncio.to_thread(self._child.wait, STOP_SECONDS)
            except subprocess.TimeoutExpired:
                log.error("engine does not stop, killing it", pid=self._child.pid)
                self._child.kill()
                await asyncio.to_thread(self._child.wait)

    def _living(self) -> list[EngineRecord]:
        return engines.living(self._workbench.database)

    async def _supervise(self) -> None:
        while True:
            if self._child is not None and self._child.poll() is not None:
                self._mourn(self._child)
            if self._child is None and await self._alone():
                await asyncio.sleep(_BACKOFF_SECONDS[min(self._deaths, len(_BACKOFF_SECONDS) - 1)])
                self._replace()
            await asyncio.sleep(CHECK_SECONDS)

    def _replace(self) -> None:
        try:
            self._child = self._spawn()
        except OSError as error:  # no memory or no process left: later, perhaps
            self._deaths += 1
            log.error("engine cannot be started", error=str(error))

    async def _alone(self) -> bool:
        try:
            return not await asyncio.to_thread(self._living)
        except Exception as error:  # the database is away: look again in a moment
            log.error("cannot look for engines", error=f"{type(error).__name__}: {error}")
            return False

    def _mourn(self, child: subprocess.Popen[bytes]) -> None:
        stable = time.monotonic() - self._started > STABLE_SECONDS
        self._deaths = 0 if stable else self._deaths + 1
        log.warning("engine ended, starting another", pid=child.pid, code=child.returncode)
        self._child = None

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._started = time.monotonic()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        # GNU's C library: with memory of its own for each thread, what one makes and another frees is left in pieces that grow.
        environment = {"MALLOC_ARENA_MAX": "1", **os.environ, "PYTHONPATH": path}
        command = [sys.executable, "-m", "engine", "--parent", str(os.getpid())]
        # A session of its own: a Ctrl-C in the terminal reaches the web process only, which then stops the child in order.
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
