"""DNS questions on the wire: a pool of short-lived UDP sockets, and TCP where an answer does not fit."""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import suppress

from engine.net import calls
from engine.net import dns_wire as wire

Server = tuple[str, int]
PORTS = 16
"""Sockets in use for each server: every question leaves from one of so many unguessable ports (RFC 5452 section 9.2)."""
USES = 200
"""Questions after which a socket, and with it its port, is replaced."""
STRAYS = 8
"""Messages that answer nothing, as a forger's guesses do, after which a socket is replaced."""
BURST = 64
"""Messages read from a socket before others get their turn."""


class Exchange:
    """Asks name servers, within one event loop. `sent` counts the questions."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float, concurrency: int) -> None:
        self.loop = loop
        self.sent = 0
        self.closed = False
        self._timeout = timeout
        self._slots = asyncio.Semaphore(concurrency)
        self._pools: dict[Server, list[Channel]] = {}
        self._retired: set[Channel] = set()

    async def ask(self, server: Server, question: bytes, edns: bool) -> bytes:
        """A server's response to this question, over TCP if it does not fit.

        Raises:
            TimeoutError: none came in time.
            OSError: the server is out of reach.
        """
        async with self._slots:
            response = await self._udp(server, question, edns)
            if wire.truncated(response):
                response = await self._tcp(server, question, edns)
            return response

    async def _udp(self, server: Server, question: bytes, edns: bool) -> bytes:
        channel = self._channel(server)
        number, response = channel.send(question, edns)
        self.sent += 1
        calls.note("dns")
        timer = self.loop.call_later(self._timeout, _expire, response)
        try:
            return await response
        except OSError:
            channel.uses = USES  # perhaps its network has gone: the next question gets a new socket
            raise
        finally:
            timer.cancel()
            channel.forget(number)
            if channel in self._retired and not channel.waiting:
                self._retired.discard(channel)
                channel.close()

    async def _tcp(self, server: Server, question: bytes, edns: bool) -> bytes:
        number = secrets.randbits(16)
        message = wire.query(number, question, edns)
        self.sent += 1
        calls.note("dns")
        async with asyncio.timeout(self._timeout):
            reader, writer = await asyncio.open_connection(*server)
            try:
                writer.write(len(message).to_bytes(2, "big") + message)
                response = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
            except asyncio.IncompleteReadError as error:
                raise ConnectionResetError("the connection ended before the answer") from error
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
        if int.from_bytes(response[:2], "big") != number or not wire.answers(response, question):
            raise ConnectionError("an answer to another question")
        return response

    def _channel(self, server: Server) -> Channel:
        """One of the server's sockets, at random; a worn one is replaced."""
        if self.closed:
            raise ConnectionAbortedError("the resolver was closed")
        pool = self._pools.setdefault(server, [])
        if len(pool) < PORTS:
            pool.append(Channel(self.loop, server))
            return pool[-1]
        place = secrets.randbelow(PORTS)
        if pool[place].worn:
            worn, pool[place] = pool[place], Channel(self.loop, server)
            if worn.waiting:
                self._retired.add(worn)
            else:
                worn.close()
        return pool[place]

    def close(self) -> None:
        """Close every socket; who waits for an answer gets a ConnectionError. The loop may have ended already."""
        self.closed = True
        for channel in [*self._retired, *(channel for pool in self._pools.values() for channel in pool)]:
            channel.close()
        self._pools.clear()
        self._retired.clear()


class Channel:
    """One UDP socket that talks with one server only; the system drops what comes from elsewhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop, server: Server) -> None:
        self.waiting: dict[int, tuple[bytes, asyncio.Future[bytes]]] = {}
        self.uses = 0
        self._strays = 0
        self._loop = loop
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.connect(server)
            loop.add_reader(self._socket.fileno(), self._readable)
        except BaseException:
            self._socket.close()
            raise

    @property
    def worn(self) -> bool:
        """Whether it is time for another port."""
        return self.uses >= USES or self._strays >= STRAYS

    def send(self, question: bytes, edns: bool) -> tuple[int, asyncio.Future[bytes]]:
        """The id that the question got, and its response to come."""
        number = secrets.randbits(16)
        while number in self.waiting:
            number = secrets.randbits(16)
        self.uses += 1
        with suppress(BlockingIOError):  # no room to send: as good as lost on the way, and asked again as such
            self._socket.send(wire.query(number, question, edns))
        future: asyncio.Future[bytes] = self._loop.create_future()
        self.waiting[number] = (question, future)
        return number, future

    def forget(self, number: int) -> None:
        """Nobody waits for this response any more."""
        self.waiting.pop(number, None)

    def close(self) -> None:
        """Close the socket; those who wait get a ConnectionError."""
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket.fileno())
            self._fail(ConnectionAbortedError("the resolver was closed"))
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(BURST):
            try:
                message = self._socket.recv(65_535)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # nobody listens there, as the other host tells
                self._fail(error)
                return
            self._heard(message)

    def _heard(self, message: bytes) -> None:
        question, future = self.waiting.get(int.from_bytes(message[:2], "big"), (b"", None))
        if future is None or not wire.answers(message, question):
            self._strays += 1
        elif not future.done():
            future.set_result(message)

    def _fail(self, error: OSError) -> None:
        for _, future in self.waiting.values():
            if not future.done():
                future.set_exception(error)


def _expire(response: asyncio.Future[bytes]) -> None:
    if not response.done():
        response.set_exception(TimeoutError("no answer in time"))
