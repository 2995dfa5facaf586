"""A server of the lab: asyncio in a thread of its own, or in a process of its own, beside the product under test."""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self, TypeVar

HOST = "127.0.0.1"
PATIENCE = 60.0
"""Seconds that a test waits for a server of the lab before it fails."""
TURNS = 5
"""Turns of the loop after which a connection that was accepted is known to us."""
PORTS = range(10_000, 32_000)
"""Below those that systems give away by themselves (RFC 6335 section 6, and Linux from 32768 on)."""
ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class LabServer:
    """Base of the lab's servers: override `open` (and `shut`, calling the base), then start it.

        class Echo(LabServer):
            async def open(self) -> None:
                await self.listen(self.talk)          # sets `port`; connections are tracked, and dropped by `shut`

            async def talk(self, reader, writer): ...

        with Echo() as echo:                          # or start() … stop(), or `await echo.open()` in the test's own loop
            connect("127.0.0.1", echo.port)
            echo.call(echo.something())               # runs a coroutine in the server's loop, from any other thread

    What tests read (counters) and write (scripts, zones) is shared between threads: use `lock`, or replace whole values.
    Whatever else an `open` of yours opens, your `shut` closes: an unclosed socket is a warning, and warnings are errors.
    """

    host = HOST

    def __init__(self) -> None:
        self.port = 0
        self.lock = threading.RLock()
        self.stalls = 0
        """How often it has begun to leave a client without an answer."""
        self.answering = asyncio.Event()
        """Set while `holding` does not hold answers back; servers wait for it before each."""
        self.answering.set()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: list[asyncio.Server] = []
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self) -> None:
        """Listen; runs in the server's loop. Must set `port`."""
        raise NotImplementedError

    async def shut(self) -> None:
        """Stop listening and drop every connection; runs in the server's loop."""
        await self._accept_no_more()
        for server in self._servers:
            server.close()
        for task, writer in list(self._talks.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    async def _accept_no_more(self) -> None:
        """Until whom we have taken in is known to us: a server that is closed in the middle of that loses the connection open."""
        for server in self._servers:
            for each in server.sockets:
                asyncio.get_running_loop().remove_reader(each)
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def listen(self, talk: Talk, port: int = 0, ssl: SSLContext | None = None) -> int:
        """Serve TCP on `port` (0 = any free one) with a coroutine for each connection; sets and returns `port`."""

        async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await talk(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass  # the other side went away, or the lab is closing
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

        def begun(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Known before the conversation begins: it may never do so, and then nothing else would close the connection."""
            task = asyncio.get_running_loop().create_task(tracked(reader, writer))
            self._talks[task] = writer
            task.add_done_callback(self._talks.pop)

        server = await asyncio.start_server(begun, self.host, port, ssl=ssl, limit=1 << 20, backlog=1024)
        self._servers.append(server)
        self.port = int(server.sockets[0].getsockname()[1])
        return self.port

    def stall(self) -> None:
        """Say that a client gets no answer from now on."""
        with self.lock:
            self.stalls += 1

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Within the block those who ask are counted but get no answer; at its end they get it."""
        assert self._loop is not None, "the server is not running"
        self.answering.clear()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self.answering.set)

    @property
    def connections(self) -> int:
        """Connections open now, of those that `listen` serves."""
        return len(self._talks)

    def start(self) -> Self:
        """Run in a thread of its own; returns when it listens, raises what `open` raised."""
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name=type(self).__name__, daemon=True)
        self._thread.start()
        try:
            self.call(self.open())
        except BaseException:
            self._end()
            raise
        return self

    def stop(self) -> None:
        """Shut it and end its thread; harmless when it does not run."""
        if self._loop is None:
            return
        try:
            self.call(self.shut())
        finally:
            self._end()

    def call(self, steps: Coroutine[Any, Any, T], timeout: float = PATIENCE) -> T:
        """What the coroutine returns, run in the server's loop; callable from any other thread.

        Raises:
            TimeoutError: it did not end in `timeout` seconds.
        """
        assert self._loop is not None, "the server is not running"
        return asyncio.run_coroutine_threadsafe(steps, self._loop).result(timeout)

    def _end(self) -> None:
        loop, thread = self._loop, self._thread
        assert loop is not None and thread is not None
        with suppress(TimeoutError):
            self.call(_cancel_rest())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
        self._loop = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


async def _cancel_rest() -> None:
    """Cancel what is left in this loop and let closed transports say goodbye."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for _ in range(3):
        await asyncio.sleep(0)
    await asyncio.get_running_loop().shutdown_asyncgens()


async def until(condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
    """Wait, in the test's loop, for something that happens in another thread or process.

    Raises:
        TimeoutError: it did not come true in `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - no event of this loop tells of it
            await asyncio.sleep(0.001)


def free_port() -> int:
    """A port for a server that starts later, or that comes back: one that nobody is given by chance meanwhile."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


async def run_until_told(server: LabServer) -> None:
    """What `python -m tests.lab.…` does: open, write the port as the first line, and serve until standard input ends."""
    await server.open()
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shut()


@contextmanager
def in_process(module: str, *arguments: str) -> Iterator[int]:
    """The port of `python -m module arguments…`, a lab server in a process of its own.

    It ends with the block, and with this process if that is killed.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdin is not None
        try:
            line = child.stdout.readline()
            assert line.strip().isdigit(), f"{module} did not start"
            yield int(line)
        finally:
            child.stdin.close()
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
