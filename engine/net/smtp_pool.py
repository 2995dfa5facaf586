"""How many connections are open at once, over all mail exchangers; idle ones give way."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol


class Idler(Protocol):
    """Somebody with idle connections."""

    def yield_one(self) -> None:
        """Close the oldest idle connection; its slot comes back by `Pool.release`."""
        ...


class Pool:
    """`limit` slots, one for each open connection."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._idlers: dict[Idler, None] = {}

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a slot; then nobody should keep an idle one."""
        return bool(self._waiters)

    async def acquire(self) -> None:
        """Take a slot, when there is one again; whoever has been idle the longest is told to close a connection."""
        if self._free > 0:
            self._free -= 1
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self._idlers:
            next(iter(self._idlers)).yield_one()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release()
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def release(self) -> None:
        """Give a slot back."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1

    def idle(self, who: Idler) -> None:
        """Somebody has idle connections, used just now."""
        self._idlers.pop(who, None)
        self._idlers[who] = None

    def busy(self, who: Idler) -> None:
        """Somebody has no idle connection any more."""
        self._idlers.pop(who, None)
