"""The resolver: what the DNS says about a domain's mail, asked once per name and remembered as long as the DNS allows."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import dns.exception
import dns.resolver

from engine.mail.evidence import DomainFacts, DomainOutcome
from engine.mail.records import RecordKind, RecordOutcome, Records
from engine.net import calls
from engine.net import dns_wire as wire
from engine.net.dns_cache import TtlCache
from engine.net.dns_exchange import Exchange, Server
from engine.net.dns_wire import Answer, Finding, Kind

Question = tuple[str, Kind]
LEAST_TTL, LONGEST_TTL = 30.0, 86_400.0
"""Seconds that records are kept at least, for those who publish 0, and at most."""
LONGEST_NEGATIVE_TTL = 3 * 3600.0
"""Seconds that a negative answer is kept at most (RFC 2308 section 5)."""
ERROR_TTL = 30.0
"""Seconds that a failure is kept, so that a list of one broken domain does not ask for each row (RFC 9520)."""
_OUTCOMES = {
    Finding.RECORDS: RecordOutcome.FOUND,
    Finding.NO_DATA: RecordOutcome.NO_DATA,
    Finding.NO_NAME: RecordOutcome.NO_NAME,
}
ALIASES = 8
"""CNAMEs that are followed by asking again, where a server does not follow them itself."""


class Resolver(Protocol):
    """Asks the DNS. Names are ASCII (A-labels); no method raises for what the DNS says or does not say."""

    async def mail(self, domain: str) -> DomainFacts:
        """Where the domain's mail goes: its MX hosts by preference, or the domain itself where it has only addresses."""

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The host's IPv4 addresses, then its IPv6 addresses; empty when there are none, or no answer."""

    async def txt(self, name: str) -> tuple[str, ...]:
        """The name's TXT records, each in one piece; empty when there are none, or no answer."""

    async def records(self, name: str, kind: RecordKind) -> Records:
        """The name's records of a kind, aliases followed; the outcome tells "none" from "no answer"."""

    @property
    def queries(self) -> int:
        """Questions sent on the wire so far, those asked again included."""


class DnsResolver:
    """A resolver over UDP and TCP with a cache; one event loop at a time, any number one after another.

    `servers` are (address, port) pairs, the system's if empty. A question is asked at most `tries` times, each time for `timeout`
    seconds, of the servers in turn; at most `concurrency` questions are out at once. `cache` is the number of answers that are
    kept. `clock` gives seconds that never go back.
    """

    def __init__(
        self,
        servers: Sequence[Server] = (),
        *,
        timeout: float = 3.0,
        tries: int = 3,
        concurrency: int = 500,
        cache: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers = tuple(servers)
        self._timeout, self._tries, self._concurrency = timeout, tries, concurrency
        self._known: TtlCache[Question, Answer] = TtlCache(cache, clock)
        self._flights: dict[Question, asyncio.Task[Answer]] = {}
        self._exchange: Exchange | None = None
        self._preferred = 0
        self._sent = 0

    @property
    def queries(self) -> int:
        """Questions sent on the wire so far, those asked again included."""
        return self._sent + (self._exchange.sent if self._exchange else 0)

    async def mail(self, domain: str) -> DomainFacts:
        """See Resolver."""
        answer = await self._ask(domain, Kind.MX)
        if answer.finding == Finding.RECORDS:
            return _exchangers(answer.values)
        if answer.finding == Finding.NO_DATA:
            return await self._implicit(domain)
        return _without(answer)

    async def _implicit(self, domain: str) -> DomainFacts:
        """The facts of a domain without MX: its own addresses, if any, take its mail (RFC 5321 section 5.1)."""
        trouble: Answer | None = None
        for kind in (Kind.A, Kind.AAAA):
            answer = await self._ask(domain, kind)
            if answer.finding == Finding.RECORDS:
                return DomainFacts(
                    DomainOutcome.MAIL, (wire.normal(domain),), implicit=True, detail="no MX; the domain has an address"
                )
            if answer.finding != Finding.NO_DATA:
                trouble = trouble or answer
        if trouble is not None:
            return _without(trouble)
        return DomainFacts(DomainOutcome.NO_HOST, detail="no MX, A or AAAA record")

    async def addresses(self, host: str) -> tuple[str, ...]:
        """See Resolver."""
        four, six = await asyncio.gather(self._ask(host, Kind.A), self._ask(host, Kind.AAAA))
        return tuple(dict.fromkeys(text for _, text in four.values + six.values))

    async def txt(self, name: str) -> tuple[str, ...]:
        """See Resolver."""
        return tuple(text for _, text in (await self._ask(name, Kind.TXT)).values)

    async def records(self, name: str, kind: RecordKind) -> Records:
        """See Resolver."""
        answer = await self._ask(name, Kind[kind])
        values = sorted(answer.values, key=lambda pair: pair[0]) if kind == "MX" else answer.values
        return Records(_OUTCOMES.get(answer.finding, RecordOutcome.FAILED), tuple(text for _, text in values), answer.detail)

    async def close(self) -> None:
        """Close the sockets; lookups under way end as errors. The resolver may be used again afterwards."""
        self._leave()
        loop = asyncio.get_running_loop()
        flights, self._flights = self._flights, {}
        await asyncio.gather(*(flight for flight in flights.values() if flight.get_loop() is loop), return_exceptions=True)

    async def _ask(self, name: str, kind: Kind) -> Answer:
        """What is known, or what the one lookup for this name finds, however many ask for it."""
        key = (wire.normal(name), kind)
        known = self._known.get(key)
        if known is not None:
            return known
        exchange = self._here()
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = exchange.loop.create_task(self._fly(exchange, key, self._flights))
        return await asyncio.shield(flight)  # who stops waiting does not stop the lookup that others wait for

    def _here(self) -> Exchange:
        """The sockets of the running loop; those of a loop that has ended are closed."""
        loop = asyncio.get_running_loop()
        if self._exchange is None or self._exchange.loop is not loop:
            self._leave()
            self._flights = {}
            self._exchange = Exchange(loop, self._timeout, self._concurrency)
            self._servers = self._servers or system_servers()
        return self._exchange

    def _leave(self) -> None:
        if self._exchange is not None:
            self._sent += self._exchange.sent
            self._exchange.close()
            self._exchange = None

    async def _fly(self, exchange: Exchange, key: Question, flights: dict[Question, asyncio.Task[Answer]]) -> Answer:
        """Look up, remember, and make room for the next flight."""
        try:
            answer = await self._look_up(exchange, *key)
            if not exchange.closed:
                self._known.put(key, answer, _lifetime(answer))
            return answer
        finally:
            flights.pop(key, None)

    async def _look_up(self, exchange: Exchange, name: str, kind: Kind) -> Answer:
        """The answer, with CNAMEs followed where the server did not."""
        answer = await self._try(exchange, name, kind)
        for _ in range(ALIASES):
            if answer.finding != Finding.ALIAS:
                return answer
            answer = await self._try(exchange, answer.alias, kind)
        return Answer(Finding.FAILED, detail="too many CNAME records in a row")

    async def _try(self, exchange: Exchange, name: str, kind: Kind) -> Answer:
        """Ask the servers in turn until one gives an answer that counts."""
        try:
            question = wire.question(name, kind)
        except ValueError:
            return Answer(Finding.NO_NAME, detail="this cannot be a domain's name")
        edns, troubles, first = True, [], self._preferred
        for turn in range(self._tries):
            place = (first + turn) % len(self._servers)
            try:
                answer = wire.read(await exchange.ask(self._servers[place], question, edns), question, name, kind)
            except TimeoutError:
                troubles.append("no answer")
                self._avoid(place)
            except OSError:
                troubles.append("no connection")
                self._avoid(place)
            except wire.Unreadable as error:
                troubles.append(str(error))
            else:
                if answer.finding != Finding.FAILED:
                    return answer
                troubles.append(answer.detail)
                edns = edns and answer.detail != "FORMERR"  # as those say who do not know EDNS
        return Answer(Finding.FAILED, detail=_summary(troubles, min(self._tries, len(self._servers))))

    def _avoid(self, place: int) -> None:
        """The next lookups begin with another server."""
        if self._preferred == place:
            self._preferred = (place + 1) % len(self._servers)


class FakeResolver:
    """A resolver that knows what it is told: facts or MX hosts by domain, addresses and texts by name; others do not exist.

    `asked` counts the calls by (name, "mail" | "addresses" | "txt" | kind of record, such as "mx"); `queries` counts each of
    these pairs once, as a cache would.
    """

    def __init__(
        self,
        mail: Mapping[str, DomainFacts | Sequence[str]],
        addresses: Mapping[str, Sequence[str]] | None = None,
        txt: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._mail, self._addresses, self._txt = dict(mail), dict(addresses or {}), dict(txt or {})
        self.asked: Counter[tuple[str, str]] = Counter()

    @property
    def queries(self) -> int:
        """How many different questions were asked."""
        return len(self.asked)

    async def mail(self, domain: str) -> DomainFacts:
        """See Resolver."""
        self.asked[domain, "mail"] += 1
        calls.note("dns")
        told = self._mail.get(domain, DomainFacts(DomainOutcome.NO_DOMAIN))
        return told if isinstance(told, DomainFacts) else DomainFacts(DomainOutcome.MAIL, tuple(told))

    async def addresses(self, host: str) -> tuple[str, ...]:
        """See Resolver."""
        self.asked[host, "addresses"] += 1
        return tuple(self._addresses.get(host, ()))

    async def txt(self, name: str) -> tuple[str, ...]:
        """See Resolver."""
        self.asked[name, "txt"] += 1
        return tuple(self._txt.get(name, ()))

    async def records(self, name: str, kind: RecordKind) -> Records:
        """See Resolver. A domain whose facts are an error does not answer for any kind."""
        self.asked[name, kind.lower()] += 1
        told = self._mail.get(name, ())
        if isinstance(told, DomainFacts) and told.outcome == DomainOutcome.ERROR:
            return Records(RecordOutcome.FAILED, detail=told.detail)
        hosts = told.hosts if isinstance(told, DomainFacts) else told
        found = {"MX": hosts, "TXT": self._txt.get(name, ())}.get(kind)
        if found is None:
            found = [ip for ip in self._addresses.get(name, ()) if (":" in ip) == (kind == "AAAA")]
        known = name in self._mail or name in self._addresses or name in self._txt
        none = RecordOutcome.NO_DATA if known else RecordOutcome.NO_NAME
        return Records(RecordOutcome.FOUND if found else none, tuple(found))


def system_servers() -> tuple[Server, ...]:
    """The name servers that the system is configured with; this machine itself where it names none, as the C library does."""
    try:
        configured = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return (("127.0.0.1", 53),)
    plain = (server for server in configured.nameservers if isinstance(server, str) and "/" not in server)
    return tuple((server, configured.port) for server in plain) or (("127.0.0.1", 53),)


def _exchangers(values: Iterable[tuple[int, str]]) -> DomainFacts:
    """The facts of a domain with MX records: by preference, each host once; the root is no host (RFC 7505)."""
    hosts = tuple(dict.fromkeys(host for _, host in sorted(values) if host not in ("", ".")))
    if not hosts:
        return DomainFacts(DomainOutcome.NULL_MX, detail="its only MX is the root")
    return DomainFacts(DomainOutcome.MAIL, hosts)


def _without(answer: Answer) -> DomainFacts:
    """The facts where there is no domain, or no answer."""
    if answer.finding == Finding.NO_NAME:
        return DomainFacts(DomainOutcome.NO_DOMAIN, detail=answer.detail or "NXDOMAIN")
    return DomainFacts(DomainOutcome.ERROR, detail=answer.detail)


def _lifetime(answer: Answer) -> float:
    """Seconds to keep an answer."""
    if answer.finding == Finding.FAILED or answer.ttl is None:
        return ERROR_TTL
    longest = LONGEST_TTL if answer.finding == Finding.RECORDS else LONGEST_NEGATIVE_TTL
    return min(max(float(answer.ttl), LEAST_TTL), longest)


def _summary(troubles: Sequence[str], servers: int) -> str:
    """A short sentence for a lookup that failed: what happened, and how often."""
    counted = Counter(troubles)
    said = ", ".join(f"{text} ({count} ×)" if count > 1 else text for text, count in counted.items())
    return f"DNS lookup failed on {servers} name server{'s' if servers != 1 else ''}: {said}"
