"""The verifier: answers from the cache first, then from the DNS, mail servers or an outside service; each answer is kept at once.

One question per address is under way at a time, whoever asks: batches that want the same address share it, other processes are
kept away by a claim. A slow answer does not hold up a batch: it is waited for in the background while the batch is parked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from engine.durable.clock import to_ms
from engine.durable.contract import Json
from engine.durable.verdict_cache import VerdictCache
from engine.mail.address import Address
from engine.mail.evidence import Answer, DomainFacts, DomainOutcome, Level, Mailbox, Reason, ServiceAnswer, Status, Verdict
from engine.mail.verdict import Evidence, verdict
from engine.net.calls import counting
from engine.net.dns import Resolver
from engine.net.mailsso import MailsSo
from engine.net.smtp import Prober
from engine.verifying.ask import Answers, Ask, Found, Memory, Service, fresh

PATIENCE_SECONDS = 2.0
"""How long a batch waits for its slowest answers before it is parked."""
NAP_SECONDS = 1.0, 30.0
"""The first and the longest time a batch is parked for answers that are under way."""
RENEW_SECONDS = 20.0
CROWD = 2
"""Questions begun at most, in multiples of those under way at once."""
UNCAPPED = 1 << 31
_PASSING = frozenset({Answer.GREYLISTED, Answer.RATE_LIMITED})
"""What a server says of now rather than of the mailbox."""
log = structlog.get_logger()

Clock = Callable[[], datetime]
Save = Callable[[Json], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wait:
    """A greylisted address: how often it was tried, and when to try again (ms)."""

    tries: int
    due: int


@dataclass(frozen=True, slots=True)
class Limits:
    """`concurrency`: questions under way at once. `waits`: seconds after each greylisting answer. `cap`: probes of synthetic
    addresses per domain and job."""

    concurrency: int = 1000
    waits: tuple[float, ...] = (300.0, 1200.0, 3600.0)
    cap: int = 200


class Verifier:
    """Answers batches of addresses. One per process; used from one event loop at a time."""

    def __init__(self, cache: VerdictCache, resolver: Resolver, prober: Prober, service: MailsSo, limits: Limits) -> None:
        self.cache, self.resolver, self.prober, self.service, self.limits = cache, resolver, prober, service, limits
        self._room = asyncio.Semaphore(limits.concurrency)
        self._flights: dict[str, asyncio.Task[Found | Wait]] = {}
        self._paying: set[str] = set()
        self._renewing: asyncio.Task[None] | None = None

    async def check(self, addresses: Mapping[str, Address], ask: Ask, memory: Memory, now: Clock, save: Save) -> Answers:
        """Verdicts for addresses by key; what is not answered in good time is told as `until`, and `memory` is to be kept."""
        found = dict(memory.open)
        found |= await self.known([key for key in addresses if key not in found], ask)
        left = {key: address for key, address in addresses.items() if key not in found}
        if not left:
            return Answers(found)
        self._keep_claims(now)
        round_ = _Round(self, ask, memory, now, save)
        await (round_.outside(left) if ask.service is Service.MAILSSO else round_.local(left))
        found |= round_.found
        missing = addresses.keys() - found.keys()
        if not missing:
            return Answers(found)
        memory.open = {key: one for key, one in found.items() if one.status == Status.UNKNOWN}
        return Answers(found, round_.until(missing))

    async def known(self, keys: Sequence[str], ask: Ask) -> dict[str, Found]:
        """What the cache can answer."""
        return ask.accepted((await self.cache.find(keys)).values())

    async def close(self) -> None:
        """Stop what is under way and let go of every connection."""
        tasks = [*self._flights.values(), *([self._renewing] if self._renewing else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for door in (self.prober, self.resolver, self.service, self.cache):
            close = getattr(door, "close", None)
            if close is not None:
                await close()

    def _keep_claims(self, now: Clock) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(now), name="claims")

    async def _renew(self, now: Clock) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            if not self._flights and not self._paying:
                return
            try:
                await self.cache.renew(now().timestamp())
            except Exception as error:  # the claims hold for some turns; the next one may succeed
                log.warning("claims not renewed", error=f"{type(error).__name__}: {error}")

    @property
    def crowded(self) -> bool:
        """Whether so many questions wait for room that no more should."""
        return len(self._flights) >= CROWD * self.limits.concurrency

    def flight(self, key: str) -> asyncio.Task[Found | Wait] | None:
        """The question about this address that is under way."""
        return self._flights.get(key)

    def launch(self, key: str, work: Awaitable[Found | Wait]) -> asyncio.Task[Found | Wait]:
        """Begin a question; it goes on however long the batch waits for it."""

        async def run() -> Found | Wait:
            async with self._room:
                return await work

        task = self._flights[key] = asyncio.create_task(run(), name="probe")

        def landed(done: asyncio.Task[Found | Wait]) -> None:
            self._flights.pop(key, None)
            if not done.cancelled() and (error := done.exception()) is not None:
                log.warning("question failed", error=type(error).__name__)  # nobody need be waiting for it any more

        task.add_done_callback(landed)
        return task

    async def facts(self, domain: str) -> DomainFacts:
        """What the DNS says of a domain, within the concurrency."""
        async with self._room:
            return await self.resolver.mail(domain)

    def reserve(self, keys: Iterable[str]) -> set[str]:
        """Addresses that no other batch of this process is paying for; to be given back with `unreserve`."""
        mine = set(keys) - self._paying
        self._paying |= mine
        return mine

    def unreserve(self, keys: Iterable[str]) -> None:
        """Give back."""
        self._paying -= set(keys)


class _Round:
    """One look of a batch at its open addresses."""

    def __init__(self, verifier: Verifier, ask: Ask, memory: Memory, now: Clock, save: Save) -> None:
        self._verifier, self._ask, self._memory, self._now, self._save = verifier, ask, memory, now, save
        self.found: dict[str, Found] = {}
        self._delay = 0.0

    def until(self, missing: Iterable[str]) -> int:
        """When to look again, in ms: when the first greylisted address is due, or after a nap that grows without progress."""
        memory, now = self._memory, to_ms(self._now())
        left = list(missing)
        memory.naps = memory.naps + 1 if memory.left == len(left) else 0
        memory.left = len(left)
        due = [memory.waits[key][1] for key in left if key in memory.waits]
        if len(due) < len(left):
            first, longest = NAP_SECONDS
            nap = min(longest, max(first * 2 ** min(memory.naps, 6), self._delay))
            due.append(now + round(nap * 1000))
        return max(now, min(due))

    async def local(self, left: Mapping[str, Address]) -> None:
        """Ask the DNS and, for the service smtp, mail servers."""
        facts = await self._facts({address.domain for address in left.values()})
        settled, mailboxes = {}, {}
        for key, address in left.items():
            told = facts.get(address.domain)
            if told is None:
                continue
            if self._ask.service is Service.DNS or told.outcome != DomainOutcome.MAIL:
                settled[key] = verdict(Evidence(address, domain=told))
            else:
                mailboxes[key] = (address, told)
        await self._keep(settled)
        if mailboxes:
            await self._mailboxes(mailboxes)

    async def outside(self, left: Mapping[str, Address]) -> None:
        """Ask the outside service; each answer is kept before anything else happens."""
        verifier, memory = self._verifier, self._memory
        mine = verifier.reserve(left)
        try:
            claimed = await self._claimed(mine)
            by_text = {left[key].normalized: key for key in left if key in claimed}

            async def answered(answers: Mapping[str, ServiceAnswer]) -> None:
                keyed = {by_text[text]: answer for text, answer in answers.items()}
                await self._keep({key: verdict(Evidence(left[key], service=answer)) for key, answer in keyed.items()})

            async def started(batch: str) -> None:
                memory.batch = batch
                await self._save(memory.state())

            await self._mark({key: left[key] for key in by_text.values()})
            if by_text:
                options: dict[str, Any] = {"batch": memory.batch, "started": started, "answered": answered}
                try:
                    with counting() as calls:
                        await verifier.service.validate(list(by_text), self._ask.api_key, **options)
                finally:
                    await verifier.cache.release([key for key in by_text.values() if key not in self.found])
                memory.batch = None
                memory.count(Service.MAILSSO, calls[Service.MAILSSO])
        finally:
            verifier.unreserve(mine)

    async def _facts(self, domains: set[str]) -> dict[str, DomainFacts]:
        """What is known of the domains in good time; slow lookups go on in the resolver."""
        with counting() as calls:
            tasks = {asyncio.create_task(self._verifier.facts(domain)): domain for domain in domains}
            done, slow = await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
        for task in slow:
            task.cancel()
        self._memory.count(Service.DNS, calls[Service.DNS])
        return {tasks[task]: task.result() for task in done}

    async def _mailboxes(self, wanted: Mapping[str, tuple[Address, DomainFacts]]) -> None:
        joined = {key: task for key in wanted if (task := self._verifier.flight(key)) is not None}
        ready = [key for key in wanted if key not in joined and self._due(key)]
        ready = await self._permitted({key: wanted[key][0] for key in ready})
        claimed = await self._claimed(ready)
        idle = []
        for key in ready:
            if key not in claimed:
                continue
            address, facts = wanted[key]
            if (task := self._verifier.flight(key)) is not None:
                joined[key] = task
                continue
            backlog = self._verifier.prober.backlog(facts)
            if backlog > PATIENCE_SECONDS or self._verifier.crowded:
                self._delay = min(self._delay or backlog, backlog)
                idle.append(key)
                continue
            joined[key] = self._verifier.launch(key, self._probe(key, address, facts))
            self._memory.count(Service.SMTP)
            await asyncio.sleep(0)  # let it queue, so that the next backlog counts it
        await self._verifier.cache.release(idle)
        await self._land(joined)

    async def _claimed(self, keys: Collection[str]) -> set[str]:
        """Those that are ours to ask about now; what was answered by somebody else in this moment is found."""
        cache = self._verifier.cache
        claimed = await cache.claim(keys, self._now().timestamp())
        known = await self._verifier.known(sorted(claimed), self._ask)
        await cache.release(known)
        self.found |= known
        return claimed - known.keys()

    def _due(self, key: str) -> bool:
        wait = self._memory.waits.get(key)
        return wait is None or wait[1] <= to_ms(self._now())

    async def _permitted(self, ready: Mapping[str, Address]) -> list[str]:
        """Those that may be probed; synthetic addresses beyond the cap are answered here."""
        allowed = ready.keys() - self._ask.synthetic
        for domain, keys in self._synthetic(ready).items():
            allowed |= await self._verifier.cache.permit(self._ask.job_id, domain, keys, self._verifier.limits.cap)
        at = to_ms(self._now())
        for key in ready.keys() - allowed:
            self.found[key] = Found.of_verdict(_capped(self._verifier.limits.cap), at)
        return [key for key in ready if key in allowed]

    async def _mark(self, wanted: Mapping[str, Address]) -> None:
        """Have it on record which addresses are synthetic; there is no cap where nobody's mail server is asked."""
        for domain, keys in self._synthetic(wanted).items():
            await self._verifier.cache.permit(self._ask.job_id, domain, keys, UNCAPPED)

    def _synthetic(self, addresses: Mapping[str, Address]) -> dict[str, list[str]]:
        """The keys of synthetic addresses by domain."""
        domains: dict[str, list[str]] = {}
        for key, address in addresses.items():
            if key in self._ask.synthetic:
                domains.setdefault(address.domain, []).append(key)
        return domains

    async def _land(self, flights: Mapping[str, asyncio.Task[Found | Wait]]) -> None:
        """Wait for the flights in good time."""
        if flights:
            await asyncio.wait(flights.values(), timeout=PATIENCE_SECONDS)
        for key, task in flights.items():
            if not task.done():
                continue
            outcome = task.result()
            if isinstance(outcome, Wait):
                self._memory.waits[key] = outcome.tries, outcome.due
            else:
                self._memory.waits.pop(key, None)
                self.found[key] = outcome

    async def _probe(self, key: str, address: Address, facts: DomainFacts) -> Found | Wait:
        """One mailbox: ask, then keep the answer, or say when to ask again."""
        tries, _ = self._memory.waits.get(key, (0, 0))
        mailbox: Mailbox = await self._verifier.prober.probe(address, facts)
        waits = self._verifier.limits.waits
        if mailbox.answer in _PASSING and self._ask.patient and tries < len(waits):
            await self._verifier.cache.release([key])
            return Wait(tries + 1, to_ms(self._now()) + round(waits[tries] * 1000))
        return (await self._keep({key: verdict(Evidence(address, domain=facts, mailbox=mailbox))}))[key]

    async def _keep(self, verdicts: Mapping[str, Verdict]) -> dict[str, Found]:
        """Write verdicts down; they count once they are on disk."""
        at = to_ms(self._now())
        found = {key: Found.of_verdict(told, at) for key, told in verdicts.items()}
        await self._verifier.cache.save([fresh(key, one, self._ask) for key, one in found.items()])
        self.found |= found
        return found


def _capped(cap: int) -> Verdict:
    detail = f"Made-up address: not probed, as {cap} of its domain were probed by this job already."
    return Verdict(Status.UNKNOWN, Reason.RATE_LIMITED, Level.DOMAIN, 30, detail=detail)
