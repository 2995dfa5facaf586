"""What tests of handing letters over share: a letter, a relay of the lab, and the transport to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from engine.net.guard import Guard
from engine.net.submission import Letter, Receipt, Transport
from engine.net.submission_smtp import Limits, SmtpTransport, Waits
from engine.net.submission_url import relay_of
from tests.lab.receiver import Receiver

TEXT = b"From: a@one.test\r\nSubject: Hello\r\n\r\nDear Jane,\r\n.\r\n..and two dots\r\nBye\r\n"


def letter(recipient: str = "ok@two.test", data: bytes = TEXT, sender: str = "a@one.test", utf8: bool = False) -> Letter:
    """A letter; its name follows from the recipient."""
    return Letter(sender, recipient, data, utf8, f"job/{recipient.encode().hex()}")


async def unarmed() -> None:
    """An `arm` that has nothing to do."""


class Armed:
    """An `arm` that counts; with `error` it raises that."""

    def __init__(self, error: BaseException | None = None, during: Callable[[], None] | None = None) -> None:
        self.count, self.error, self.during = 0, error, during

    async def __call__(self) -> None:
        self.count += 1
        if self.during is not None:
            self.during()
        if self.error is not None:
            raise self.error


@asynccontextmanager
async def relayed(
    relay: Receiver,
    *,
    login: str = "",
    query: str = "",
    limits: Limits | None = None,
    waits: Waits | None = None,
    host: str = "127.0.0.1",
    **options: Any,
) -> AsyncIterator[SmtpTransport]:
    """A transport to a relay of the lab."""
    url = f"{'smtps' if relay.tls else 'smtp'}://{login}{host}:{relay.port}{query}"
    guard = Guard(trusted=frozenset({(host, relay.port)}))
    transport = SmtpTransport(
        relay_of(url), guard, "here.test", limits=limits, waits=waits or Waits(10.0, 10.0, 10.0, 10.0), **options
    )
    try:
        yield transport
    finally:
        await transport.close()


async def deliver_all(transport: Transport, letters: Sequence[Letter]) -> list[Receipt]:
    """All at once."""
    return await asyncio.gather(*(transport.deliver(each, unarmed) for each in letters))
