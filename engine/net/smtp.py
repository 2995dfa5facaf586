"""The door to mail exchangers: asks whether they take mail for an address, and sends none (RFC 5321, up to RCPT)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import structlog

from engine.errors import ConfigError
from engine.mail.address import Address
from engine.mail.evidence import Answer, CatchAll, DomainFacts, Mailbox
from engine.net.guard import Guard
from engine.net.smtp_catchall import CatchAlls
from engine.net.smtp_dial import Addresses, Dialer
from engine.net.smtp_dialogue import Identity, Patience
from engine.net.smtp_lane import Finding, Lane, Limits, Office
from engine.net.smtp_pool import Pool

MAX_HOSTS = 4
"""Exchangers of a domain that are asked for one answer."""
LANE_LIFE = 300.0
"""Seconds after which an unused lane is forgotten."""
CROWD = 10_000
"""Lanes at which unused ones are forgotten at once."""
SWEEP = 30.0
_TELLING = (Answer.BLOCKED, Answer.RATE_LIMITED, Answer.TIMEOUT)
T = TypeVar("T")
log = structlog.get_logger()


class Prober(Protocol):
    """Asks mail exchangers about mailboxes."""

    async def probe(self, address: Address, facts: DomainFacts) -> Mailbox:
        """What the domain's exchangers say about the address; never raises for what they do."""
        ...

    def backlog(self, facts: DomainFacts) -> float:
        """Seconds until a probe at this domain's exchangers would start, as queue and rate have it; 0 when answered at once."""
        ...

    @property
    def probes(self) -> int:
        """RCPT questions put on the wire so far, those about catch-all included."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...


class SmtpProber:
    """Mailbox probes over SMTP: by exchanger, a few connections that are kept, a token bucket and a circuit breaker.

    `helo` and `sender` are who we say we are; both must be true. `timeout` is in seconds, for one step; `total` for all steps of
    a probe (three times that by default), waiting in our own queues left out. `rate` is in probes a second and exchanger, `burst`
    how many of them may come at once, `per_host_connections` and `connections` how many are open at once to one and to all,
    `per_connection` how many recipients one is used for, `idle` how many seconds an unused one stays open.

    Raises:
        ConfigError: `helo` or `sender` cannot stand in a command.
    """

    def __init__(
        self,
        resolver: Addresses,
        guard: Guard,
        *,
        port: int = 25,
        helo: str,
        sender: str,
        timeout: float = 10.0,
        total: float | None = None,
        rate: float = 5.0,
        burst: float = 5.0,
        per_host_connections: int = 2,
        per_connection: int = 100,
        connections: int = 500,
        idle: float = 10.0,
    ) -> None:
        if not helo or not _speakable(helo):
            raise ConfigError("the HELO name must be a host name, such as mail.example.org")
        if not _speakable(sender):
            raise ConfigError("the sender of probes must be an address, such as postmaster@mail.example.org, or empty")
        patience = Patience(timeout, 3 * timeout if total is None else total)
        self._connections = connections
        self._office = Office(
            dialer=Dialer(resolver, guard, port, Identity(helo, sender), patience),
            pool=Pool(connections),
            limits=Limits(rate, burst, per_host_connections, per_connection, idle),
            patience=patience,
            spawn=self._spawn,
        )
        self._catch_alls = CatchAlls(self._spawn)
        self._lanes: dict[str, Lane] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._swept = 0.0
        self._closing = False

    @property
    def probes(self) -> int:
        """RCPT questions put on the wire so far, those about catch-all included."""
        return self._office.asked

    @property
    def blocked(self) -> bool:
        """Whether connections to exchangers do not get out of this machine, as far as we know."""
        return self._loop is not None and self._office.dialer.egress.blocked(self._loop.time())

    async def probe(self, address: Address, facts: DomainFacts) -> Mailbox:
        """What the exchangers say, in the order of `facts.hosts`; after an accepted recipient whether they accept any."""
        self._attach()
        if not facts.hosts:
            return Mailbox(Answer.NO_CONNECTION, reply="the domain has no mail exchanger")
        recipient = f"{address.local}@{address.domain}"
        if not _speakable(recipient):
            return Mailbox(Answer.UNCLEAR, host=facts.hosts[0], reply="the address cannot stand in a command")
        mailbox = await self._ask(recipient, address.smtputf8, facts)
        if mailbox.answer is Answer.NOT_FOUND:
            self._catch_alls.refused(address.domain)
        if mailbox.answer is not Answer.EXISTS:
            return mailbox

        async def ask(stranger: str) -> Answer:
            return (await self._ask(stranger, False, facts, first=True)).answer

        return replace(mailbox, catch_all=await self._catch_alls.of(address.domain, ask))

    def backlog(self, facts: DomainFacts) -> float:
        """Seconds until a probe would start at the first exchanger that would be asked; 0 when at once, or answered at once."""
        if self._loop is None or self.blocked:
            return 0.0
        waits = []
        for host in facts.hosts[:MAX_HOSTS]:
            lane = self._lanes.get(_key(host))
            wait, passed_over = lane.backlog(self._loop.time()) if lane else (0.0, False)
            if not passed_over:
                return wait
            waits.append(wait)
        return min(waits, default=0.0)

    async def close(self) -> None:
        """Give up what is under way, say QUIT on idle connections, and wait until all are closed (at most about two seconds)."""
        if self._loop is not asyncio.get_running_loop():
            return
        self._closing = True
        for lane in self._lanes.values():
            lane.close()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        # What was dropped is really closed in the loop's next turn.
        await asyncio.sleep(0)
        self._lanes.clear()
        self._closing = False

    async def _ask(self, recipient: str, utf8: bool, facts: DomainFacts, first: bool = False) -> Mailbox:
        """The first final answer; where there is none, the most telling of the others."""
        if self._closing:
            return Mailbox(Answer.NO_CONNECTION, host=facts.hosts[0], reply="the prober was closed")
        budget = self._office.patience.total
        missed: list[Mailbox] = []
        for host in facts.hosts[:MAX_HOSTS]:
            if missed and budget <= 0.0:
                break
            finding: Finding = await self._lane(host).ask(recipient, utf8, budget, first)
            if finding.final:
                return finding.mailbox
            missed.append(finding.mailbox)
            budget -= finding.spent
        return next((mailbox for answer in _TELLING for mailbox in missed if mailbox.answer is answer), missed[0])

    def _lane(self, host: str) -> Lane:
        name = _key(host)
        lane = self._lanes.get(name)
        if lane is None:
            self._forget()
            lane = self._lanes[name] = Lane(name, self._office)
        return lane

    def _forget(self) -> None:
        """Drop lanes that nobody uses, now and then."""
        now = asyncio.get_running_loop().time()
        crowded = len(self._lanes) >= CROWD
        if now - self._swept < (1.0 if crowded else SWEEP):
            return
        self._swept = now
        life = 0.0 if crowded else LANE_LIFE
        self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.forgettable(now, life)}

    def _attach(self) -> None:
        """Belong to the running loop; what belonged to another one is lost with it."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._loop, self._lanes, self._tasks, self._swept = loop, {}, set(), loop.time()
        self._office.pool = Pool(self._connections)
        self._catch_alls.landed()

    def _spawn(self, steps: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(steps)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("probe_failed", exc_info=error)


class FakeProber:
    """Answers from a table by address (`local@domain`, lower case) or from a function; says EXISTS and no catch-all of others."""

    def __init__(
        self,
        answers: Mapping[str, Mailbox] | Callable[[Address], Mailbox | Awaitable[Mailbox]] | None = None,
        backlogs: Mapping[str, float] | None = None,
    ) -> None:
        self.answers = answers or {}
        self.backlogs = dict(backlogs or {})
        """Seconds by host."""
        self.asked: list[str] = []

    @property
    def probes(self) -> int:
        """How often it was asked."""
        return len(self.asked)

    async def probe(self, address: Address, facts: DomainFacts) -> Mailbox:
        """The answer of the table or the function."""
        self.asked.append(address.key)
        if not callable(self.answers):
            host = facts.hosts[0] if facts.hosts else ""
            exists = Mailbox(Answer.EXISTS, CatchAll.NO, host, 250, "2.1.5", "Ok")
            return self.answers.get(address.key, exists)
        answer = self.answers(address)
        return answer if isinstance(answer, Mailbox) else await answer

    def backlog(self, facts: DomainFacts) -> float:
        """The seconds given for the first of the hosts that has any."""
        return next((self.backlogs[host] for host in facts.hosts if host in self.backlogs), 0.0)

    async def close(self) -> None:
        """There is nothing to let go."""


def _key(host: str) -> str:
    return host.rstrip(".").lower()


def _speakable(text: str) -> bool:
    """Whether it may stand in a command: one word without angle brackets or controls (no command can be smuggled in)."""
    return text.isprintable() and not set(text) & set(" <>")
