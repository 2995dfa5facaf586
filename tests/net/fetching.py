"""What tests of the fetcher share: a clock without real time, a fetcher for the lab, and an Internet that is the lab."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpcore
import httpx
import pytest

from engine.net.guard import Guard
from engine.net.http import Limits, WebFetcher, user_agent
from tests.lab.running import PATIENCE
from tests.lab.web import loopback

AGENT = user_agent("https://postbench.example")
PUBLIC = "93.184.215.14"
"""An address that the guard permits; the lab answers for it where `internet` is used."""


async def until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.001)


class Clock:
    """Seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@asynccontextmanager
async def fetcher(private: bool = True, resolve: Any = loopback, **settings: Any) -> AsyncIterator[WebFetcher]:
    """A fetcher without delay that may reach the lab; closed at the end."""
    settings = {"user_agent": AGENT, "delay": 0.0, "context": _authorities(), **settings}
    ours = WebFetcher(Guard(allow_private=private), resolve, **settings)
    try:
        yield ours
    finally:
        await ours.close()


@cache
def _authorities() -> ssl.SSLContext:
    """What a fetcher trusts by itself; read once, as it takes long."""
    return httpx.create_ssl_context(trust_env=False)


QUICK = Limits(seconds=5.0)
"""For pages that never end; whoever does not want to wait for them is `hurried`."""


def internet(monkeypatch: pytest.MonkeyPatch, port: int) -> list[tuple[str, int]]:
    """From now on PUBLIC is the lab at this port, and nothing else can be reached; returns the connections asked for."""
    connections: list[tuple[str, int]] = []
    connect = httpcore.AnyIOBackend.connect_tcp

    async def connect_tcp(self: httpcore.AnyIOBackend, host: str, port_: int, *rest: Any) -> httpcore.AsyncNetworkStream:
        connections.append((host, port_))
        if host != PUBLIC:
            raise httpcore.ConnectError("there is only one server in this Internet")
        return await connect(self, "127.0.0.1", port, *rest)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    return connections


def names(known: Mapping[str, Iterable[str]]) -> Callable[[str], Any]:
    """A resolver: each call takes the next of a name's addresses; the last one stays."""
    left = {name: list(addresses) for name, addresses in known.items()}

    async def resolve(host: str) -> list[str]:
        addresses = left.get(host, ["127.0.0.1"])
        return [addresses.pop(0) if len(addresses) > 1 else addresses[0]]

    return resolve
