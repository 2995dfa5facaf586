"""What the prober's tests share: a prober for servers of the lab, addresses, and the facts of a domain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from engine.mail.address import Address, parse
from engine.mail.evidence import DomainFacts, DomainOutcome
from engine.net.dns import FakeResolver
from engine.net.guard import Guard
from engine.net.smtp import SmtpProber
from tests.lab.running import PATIENCE
from tests.lab.smtp import LabSmtp

HOSTS = {f"mx.{name}.test": ("127.0.0.1",) for name in ("one", "two", "three", "four", "five")}


def address(text: str) -> Address:
    """The address of this text."""
    found = parse(text)
    assert isinstance(found, Address), found
    return found


def facts(*hosts: str) -> DomainFacts:
    """A domain with these exchangers."""
    return DomainFacts(DomainOutcome.MAIL, hosts)


async def until(condition: Callable[[], bool]) -> None:
    """Until something is so in the lab, which runs in another thread."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - no event of this loop tells
            await asyncio.sleep(0.005)


class prober_for:  # noqa: N801 - used as a context manager
    """A prober of the lab's server, fast and without limits unless told otherwise; `async with` closes it."""

    def __init__(self, mx: LabSmtp | int, hosts: Mapping[str, Sequence[str]] | None = None, **options: Any) -> None:
        defaults: dict[str, Any] = {
            "guard": Guard(allow_private=True),
            "port": mx if isinstance(mx, int) else mx.port,
            "helo": "lab.test",
            "sender": "postmaster@lab.test",
            "timeout": 5.0,
            "rate": 100_000.0,
        }
        chosen = defaults | options
        resolver = chosen.pop("resolver", None) or FakeResolver({}, HOSTS if hosts is None else hosts)
        self.prober = SmtpProber(resolver, chosen.pop("guard"), **chosen)

    async def __aenter__(self) -> SmtpProber:
        return self.prober

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.prober.close()
