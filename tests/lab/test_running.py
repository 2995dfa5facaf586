"""The lab itself: its servers start, share, and go away without a trace."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from contextlib import suppress

import pytest

from tests.lab.dns import DnsServer
from tests.lab.running import LabServer, in_process, until


class Echo(LabServer):
    """Says what it hears, line by line."""

    async def open(self) -> None:
        await self.listen(self.talk)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)

    async def thread(self) -> str:
        return threading.current_thread().name


async def test_a_server_works_beside_the_test_and_drops_its_connections():
    with Echo() as echo:
        reader, writer = await asyncio.open_connection(echo.host, echo.port)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        assert (echo.connections, echo.call(echo.thread())) == (1, "Echo")
    with suppress(ConnectionError):  # an end with or without a word is as good
        assert await reader.readline() == b""
    writer.close()
    with pytest.raises(OSError):
        await asyncio.open_connection(echo.host, echo.port)


def test_who_connects_at_the_last_moment_is_dropped_too():
    for _ in range(30):
        with Echo() as echo:
            clients = [socket.create_connection((echo.host, echo.port), timeout=30) for _ in range(3)]
        for client in clients:
            with client, suppress(ConnectionError):
                assert client.recv(1) == b""
    gc.collect()  # what was left open says so now


async def test_a_server_works_in_the_loop_of_the_test():
    echo = Echo()
    await echo.open()
    _, writer = await asyncio.open_connection(echo.host, echo.port)
    await until(lambda: echo.connections == 1)
    await echo.shut()
    assert echo.connections == 0
    writer.close()


def test_a_server_that_cannot_start_says_so_and_leaves_no_thread():
    class Broken(LabServer):
        async def open(self) -> None:
            raise OSError("taken")

    before = threading.active_count()
    with pytest.raises(OSError, match="taken"):
        Broken().start()
    assert threading.active_count() == before


def test_a_call_that_hangs_fails_in_time():
    async def never() -> None:
        await asyncio.Event().wait()

    with Echo() as echo, pytest.raises(TimeoutError):
        echo.call(never(), timeout=0.01)


async def test_a_name_server_uses_one_port_for_both_and_frees_it():
    with DnsServer() as first:
        port = first.port
    with DnsServer(port=port) as second:
        assert second.port == port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        with pytest.raises(OSError):
            DnsServer(port=port).start()


def test_a_process_that_does_not_start_is_noticed():
    with pytest.raises(AssertionError, match="did not start"), in_process("tests.lab.nothing"):
        pass
