"""The line in front of a transport: as many at once as it takes, each job in turn, so that none waits behind a large one."""

from __future__ import annotations

import asyncio
from collections import deque


class Line:
    """Places at a transport. Within a job first come, first served; between jobs one after the other.

    `closed_until` (seconds since 1970) is a moment before which nobody gets anywhere there.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self.closed_until = 0.0
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def place(self, job_id: str) -> _Place:
        """Hold a place for the block of `async with`; leaving it does not give the loop to others."""
        return _Place(self, job_id)

    async def enter(self, job_id: str) -> None:
        """Wait for a place."""
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place was ours already
            else:
                self._forget(job_id, turn)
            raise

    def leave(self) -> None:
        """Give a place to whoever is next."""
        self._free += 1
        while self._free and self._waiting:
            job_id, turns = next(iter(self._waiting.items()))
            turn = turns.popleft()
            del self._waiting[job_id]
            if turns:
                self._waiting[job_id] = turns  # to the end of the rotation
            if not turn.done():
                self._free -= 1
                turn.set_result(None)

    def _forget(self, job_id: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(job_id)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[job_id]


class _Place:
    """A place in the line, entered and left by `async with`."""

    __slots__ = ("_job_id", "_line")

    def __init__(self, line: Line, job_id: str) -> None:
        self._line, self._job_id = line, job_id

    async def __aenter__(self) -> None:
        await self._line.enter(self._job_id)

    async def __aexit__(self, *_: object) -> None:
        self._line.leave()
