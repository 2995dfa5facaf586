"""Helpers of the mails.so tests: a clock that moves when somebody sleeps, and somebody who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from engine.mail.evidence import ServiceAnswer
from engine.net.mailsso import FakeMailsSo, MailsSoClient
from engine.net.mailsso_wire import Patience
from tests.lab.mailsso import GOOD, MailsSoServer

MANY = [f"person{number}@example.test" for number in range(20)]
FEW = MANY[:3]
WALL = 1_800_000_000.0
SECONDS = 30.0
"""How long an answer is waited for."""


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.at

    def now(self) -> float:
        return WALL

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)


class Asker:
    """Runs validations and keeps what was handed on."""

    def __init__(self, service: MailsSoClient | FakeMailsSo) -> None:
        self.service = service
        self.answers: dict[str, ServiceAnswer] = {}
        self.groups: list[dict[str, ServiceAnswer]] = []
        self.started: list[str] = []

    async def ask(self, addresses: list[str], key: str = GOOD, batch: str | None = None) -> dict[str, ServiceAnswer]:
        self.answers, self.groups = {}, []

        async def started(number: str) -> None:
            assert not self.groups, "the batch must be written down before anything is done with it"
            self.started.append(number)

        async def answered(answers: Mapping[str, ServiceAnswer]) -> None:
            assert not self.answers.keys() & answers.keys(), "an address was answered twice"
            self.answers |= answers
            self.groups.append(dict(answers))

        await self.service.validate(addresses, key, batch=batch, started=started, answered=answered)
        assert self.answers.keys() == set(addresses), "not every address has an answer"
        return self.answers

    def errors(self) -> set[str]:
        return {answer.error for answer in self.answers.values()}


def quick(server: MailsSoServer, time: Time) -> Asker:
    patience = Patience(timeout=SECONDS)
    return Asker(MailsSoClient(server.url, None, clock=time.clock, now=time.now, sleep=time.sleep, patience=patience))
