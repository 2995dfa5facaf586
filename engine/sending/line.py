"""The line in front of a transport: as many at once as it takes, each job in turn, so that none waits behind a large one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Line:
    """Places at a transport. Within a job first come, first served; between jobs one after the other.

    `closed_until` (seconds since 1970) is a moment before which nobody gets anywhere there.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self.closed_until = 0.0
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def place(self, job_id: str) -> AsyncIterator[None]:
        """Hold a place for the block."""
        await self._enter(job_id)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, job_id: str) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(job_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # the place was ours already
            else:
                self._forget(job_id, turn)
            raise

    def _leave(self) -> None:
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
