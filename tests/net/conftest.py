"""A name server of the lab and resolvers that ask it, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from engine.net.dns import DnsResolver
from tests.lab.dns import DnsServer

MX = [(10, "mx1.example.test"), (20, "mx2.example.test")]


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def names() -> Iterator[DnsServer]:
    """A name server that knows example.test."""
    with DnsServer({"example.test": {"mx": MX, "a": ["127.0.0.2"], "txt": ["v=spf1 -all", "x" * 300]}}) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def resolving(clock) -> AsyncIterator[Callable[..., DnsResolver]]:
    """Makes resolvers that ask the given servers, and closes them."""
    made: list[DnsResolver] = []

    def build(*servers: DnsServer, timeout: float = 5.0, **options) -> DnsResolver:
        pairs = [pair for server in servers for pair in server.servers]
        made.append(DnsResolver(pairs, timeout=timeout, clock=clock, **options))
        return made[-1]

    yield build
    for resolver in made:
        await resolver.close()


@pytest.fixture
def resolver(resolving, names) -> DnsResolver:
    found: DnsResolver = resolving(names)
    return found
