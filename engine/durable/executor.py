"""Where a batch runs: in the engine's own event loop, or wherever another `Executor` sends it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from engine.durable.contract import Batch, Done, JobParams, JobType, Json, Snooze

Saver = Callable[[Json], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EngineTools:
    """The `Tools` a batch gets: the doors of this process, the job's secrets, the real clock, and a way to save a cursor."""

    saver: Saver
    secrets: Mapping[str, str] = field(default_factory=dict)
    doors: Mapping[str, Any] = field(default_factory=dict)

    def now(self) -> datetime:
        """The current moment, aware, UTC."""
        return datetime.now(UTC)

    async def save(self, state: Json) -> None:
        """Commit a private cursor; returns once it is on disk."""
        await self.saver(state)


class Executor(Protocol):
    """Runs one batch to its outcome; an exception of `process` comes out as it is."""

    async def run(
        self, job_type: JobType, batch: Batch, params: JobParams, secrets: Mapping[str, str], save: Saver
    ) -> Done | Snooze:
        """The outcome of the batch."""

    async def close(self) -> None:
        """Let go of connections and processes."""


class LocalExecutor:
    """Runs batches as tasks of this event loop."""

    def __init__(self, doors: Mapping[str, Any] | None = None) -> None:
        self._doors = doors or {}

    async def run(
        self, job_type: JobType, batch: Batch, params: JobParams, secrets: Mapping[str, str], save: Saver
    ) -> Done | Snooze:
        """The outcome of the batch."""
        return await job_type.process(batch, params, EngineTools(save, secrets, self._doors))

    async def close(self) -> None:
        """Close the doors that can be closed."""
        await close_doors(self._doors)


async def close_doors(doors: Mapping[str, Any]) -> None:
    """Let go of the connections behind the doors that have an asynchronous `close`."""
    for door in doors.values():
        close = getattr(door, "close", None)
        if inspect.iscoroutinefunction(close):
            await close()
