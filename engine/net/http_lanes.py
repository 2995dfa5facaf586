"""One lane per host: one connection and one fetch at a time, with pauses between them, and a cap over all lanes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from engine.net.http_outcome import CLOSED, Outcome, Trouble

KEEPALIVE = 15.0
"""Seconds that an unused connection is kept open."""


class Lane:
    """The way to one host. `used` counts the answers that its present connection gave, so that a stale one is known."""

    __slots__ = ("_connect", "_transport", "closed", "due", "ended", "lock", "sent", "used", "users")

    def __init__(self, connect: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._connect = connect
        self._transport: httpx.AsyncBaseTransport | None = None
        self.lock = asyncio.Lock()
        self.users = self.used = 0
        self.closed = False
        """No more connections are made."""
        self.sent = True
        """Something was sent in this turn; who finds that nothing could be sent says so."""
        self.ended: float | None = None
        """When the last turn in which something was sent ended."""
        self.due = 0.0
        """Not before then, as the host has asked."""

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """The transport of this host alone; it holds one connection at most.

        Raises:
            Trouble: the fetcher was closed.
        """
        if self.closed:
            raise Trouble(Outcome.UNREACHABLE, CLOSED)
        if self._transport is None:
            self._transport, self.used = self._connect(), 0
        return self._transport

    @property
    def open(self) -> bool:
        """Whether there may be a connection."""
        return self._transport is not None

    async def drop(self) -> None:
        """Close the connection; the next use opens another."""
        transport = self.detach()
        if transport is not None:
            await transport.aclose()

    def detach(self) -> httpx.AsyncBaseTransport | None:
        """Give the transport away, to be closed."""
        transport, self._transport = self._transport, None
        return transport


class Lanes:
    """Turns at hosts: first come, first served; at most `concurrency` at once over all of them.

    Unused connections are closed after KEEPALIVE seconds, and when there are more than `concurrency`. A lane is forgotten once
    it no longer holds anybody up, `memory` seconds after its last turn at most. `clock` and `sleep` serve the pauses. For one
    event loop.
    """

    def __init__(
        self,
        connect: Callable[[], httpx.AsyncBaseTransport],
        concurrency: int,
        memory: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self._connect, self._concurrency, self._memory = connect, concurrency, memory
        self._clock, self._sleep = clock, sleep
        self._seats = asyncio.Semaphore(concurrency)
        self._lanes: dict[str, Lane] = {}  # least recently used first
        self._idle: dict[str, float] = {}  # those with an open connection and nobody on it: since when, oldest first
        self._closing: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._lanes)

    @asynccontextmanager
    async def turn(self, place: str, delay: float) -> AsyncIterator[Lane]:
        """The lane of a host for one exchange, at least `delay` seconds after the last one ended."""
        lane = self._lanes.get(place)
        if lane is None:
            lane = self._lanes[place] = Lane(self._connect)
        lane.users += 1
        self._idle.pop(place, None)
        try:
            async with lane.lock:
                await self._pause(lane, delay)
                async with self._seats:
                    lane.sent = True
                    try:
                        yield lane
                    finally:
                        if lane.sent:
                            lane.ended = self._clock()
        finally:
            lane.users -= 1
            if not lane.users:
                self._rest(place, lane)

    async def _pause(self, lane: Lane, delay: float) -> None:
        due = lane.due if lane.ended is None else max(lane.due, lane.ended + delay)
        while (wait := due - self._clock()) > 0.0:
            await self._sleep(wait)

    def _rest(self, place: str, lane: Lane) -> None:
        """Nobody is on this lane any more."""
        if self._lanes.get(place) is not lane:  # closed meanwhile
            return
        self._lanes[place] = self._lanes.pop(place)
        if lane.open:
            self._idle[place] = self.loop.time()
            if len(self._idle) > self._concurrency:
                self._retire(next(iter(self._idle)))
            if self._timer is None:
                self._timer = self.loop.call_later(KEEPALIVE, self._sweep)
        self._forget()

    def _forget(self) -> None:
        """Drop lanes from the unused end that hold nobody up."""
        now = self._clock()
        while self._lanes:
            place, lane = next(iter(self._lanes.items()))
            if lane.users or lane.open or now < max(lane.due, (lane.ended or -self._memory) + self._memory):
                return
            del self._lanes[place]

    def _sweep(self) -> None:
        """Close what was unused for long enough; runs while there are unused connections."""
        now = self.loop.time()
        for place in [place for place, since in self._idle.items() if now - since >= KEEPALIVE]:
            self._retire(place)
        self._timer = self.loop.call_later(KEEPALIVE, self._sweep) if self._idle else None
        self._forget()

    def _retire(self, place: str) -> None:
        del self._idle[place]
        transport = self._lanes[place].detach()
        if transport is not None:
            task = self.loop.create_task(transport.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close every connection; exchanges under way fail."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._idle.clear()
        for lane in self._lanes.values():
            lane.closed = True
        await asyncio.gather(*(lane.drop() for lane in self._lanes.values()), *self._closing)
        self._lanes.clear()
