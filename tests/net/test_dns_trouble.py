"""The resolver in trouble: failing, silent, forging and vanished name servers, and event loops that end."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from engine.mail.evidence import DomainFacts, DomainOutcome
from engine.net.dns import DnsResolver, system_servers
from tests.lab.dns import FORGED, DnsServer
from tests.lab.hurrying import hurried
from tests.lab.running import PATIENCE, until

MX = [(10, "mx1.example.test"), (20, "mx2.example.test")]
HOSTS = ("mx1.example.test", "mx2.example.test")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, nor can begin to: it belongs to a socket that hears nobody but another port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(("127.0.0.1", 9))
        yield int(sock.getsockname()[1])


@pytest.mark.parametrize("mode", ["servfail", "refused", "broken"])
async def test_a_server_that_fails_is_followed_by_the_next_at_once(resolving, names, mode):
    with DnsServer({"example.test": {"mx": MX}}) as other:
        names.fault("example.test", mode)
        assert (await resolving(names, other, timeout=60).mail("example.test")).hosts == HOSTS
        assert (names.total, other.total) == (1, 1)


async def test_a_silent_server_is_asked_first_only_until_that_is_known(resolving, names):
    with DnsServer({"*.many.test": {"mx": MX}}) as other:
        names.fault("0.many.test", "silence")
        resolver = resolving(names, other, timeout=10)
        async with hurried(names, 10):
            for n in range(3):
                assert (await resolver.mail(f"{n}.many.test")).hosts == HOSTS
        assert (names.total, other.total) == (1, 3)


async def test_a_closed_port_is_followed_by_the_next_server_at_once(closed_port, names):
    resolver = DnsResolver([("127.0.0.1", closed_port), *names.servers], timeout=60)
    assert (await resolver.mail("example.test")).hosts == HOSTS
    await resolver.close()


async def test_a_failure_that_passes_is_asked_again(resolving, names):
    names.fault("example.test", "servfail", times=2)
    assert (await resolving(names, tries=3).mail("example.test")).hosts == HOSTS
    assert names.total == 3


async def test_silent_servers_are_an_error_within_the_time_allowed(resolving, names):
    with DnsServer() as other:
        for server in (names, other):
            server.fault("example.test", "silence")
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE):
            facts = await resolving(names, other, timeout=0.1, tries=3).mail("example.test")
        assert time.monotonic() - began >= 0.3
        assert facts == DomainFacts(DomainOutcome.ERROR, detail="DNS lookup failed on 2 name servers: no answer (3 ×)")
        await until(lambda: (names.total, other.total) == (2, 1))


TROUBLE = [
    ("servfail", "DNS lookup failed on 1 name server: SERVFAIL (2 ×)"),
    ("refused", "DNS lookup failed on 1 name server: REFUSED (2 ×)"),
    ("silence", "DNS lookup failed on 1 name server: no answer (2 ×)"),
    ("wrong_id", "DNS lookup failed on 1 name server: no answer (2 ×)"),
    ("garbage", "DNS lookup failed on 1 name server: no answer (2 ×)"),
    ("broken", "DNS lookup failed on 1 name server: an unreadable answer (2 ×)"),
    ("half", "DNS lookup failed on 1 name server: no connection (2 ×)"),
    ("referral", "DNS lookup failed on 1 name server: a referral: this server resolves nothing for us (2 ×)"),
]


@pytest.mark.parametrize(("mode", "detail"), TROUBLE)
async def test_trouble_is_an_error_that_says_what_happened_and_never_a_missing_domain(resolving, names, mode, detail):
    names.fault("example.test", mode)
    resolver = resolving(names, timeout=0.1 if "no answer" in detail else 60, tries=2)
    assert await resolver.mail("example.test") == DomainFacts(DomainOutcome.ERROR, detail=detail)


async def test_trouble_with_the_addresses_of_a_domain_without_mx_is_an_error(resolving, names):
    names.add("some.test")
    names.fault("some.test", "servfail", "A")
    assert (await resolving(names).mail("some.test")).outcome == DomainOutcome.ERROR
    names.add("some.test", aaaa=["::1"])
    assert (await resolving(names).mail("some.test")).implicit


async def test_a_closed_port_is_an_error_at_once(closed_port):
    resolver = DnsResolver([("127.0.0.1", closed_port)], timeout=60, tries=2)
    assert (await resolver.mail("example.test")).detail == "DNS lookup failed on 1 name server: no connection (2 ×)"
    await resolver.close()


async def test_forged_answers_are_not_believed(resolver, names):
    names.fault("example.test", "spoofed")
    facts = await resolver.mail("example.test")
    assert facts.hosts == HOSTS and FORGED not in facts.hosts
    assert names.total == 1


async def test_questions_leave_from_many_ports_with_many_ids(resolving):
    seen: set[tuple[int, bytes]] = set()

    class Watching(DnsServer):
        def _later(self, delay, sock, answers, peer):
            seen.add((peer[1], answers[0][:2]))
            super()._later(delay, sock, answers, peer)

    with Watching({"*.many.test": {"mx": MX}}) as names:
        resolver = resolving(names)
        await asyncio.gather(*(resolver.mail(f"{n}.many.test") for n in range(4000)))
        assert len({port for port, _ in seen}) > 16, "ports are replaced after some time"
        assert len({number for _, number in seen}) > 3000


async def test_a_truncated_answer_is_asked_for_over_tcp(resolver, names):
    names.fault("example.test", "truncate")
    assert (await resolver.mail("example.test")).hosts == HOSTS
    assert (names.tcp, resolver.queries) == (1, 2)


async def test_a_server_that_knows_no_edns_is_asked_without(resolver, names):
    names.fault("example.test", "formerr")
    assert (await resolver.mail("example.test")).hosts == HOSTS
    assert names.total == 2


# Its life.


def test_a_resolver_outlives_its_event_loops(names):
    resolver = DnsResolver(names.servers)

    async def look(name: str) -> DomainOutcome:
        left = asyncio.create_task(resolver.mail("left.test"))  # still under way when the loop ends
        await until(lambda: names.asked("left.test") > 0)
        found = (await resolver.mail(name)).outcome
        assert not left.done()
        return found

    names.fault("left.test", "silence")
    assert asyncio.run(look("example.test")) == DomainOutcome.MAIL
    names.forget()
    assert asyncio.run(look("nothing.test")) == DomainOutcome.NO_DOMAIN
    names.forget()
    assert asyncio.run(look("example.test")) == DomainOutcome.MAIL
    assert names.asked("example.test") == 0, "what was found in the first loop is known in the third"
    assert resolver.queries == 5
    asyncio.run(resolver.close())


def test_a_loop_that_ended_in_the_middle_of_a_lookup_does_no_harm(names):
    names.fault("left.test", "silence")
    resolver = DnsResolver(names.servers)

    async def leave() -> asyncio.Task[DomainFacts]:
        left = asyncio.create_task(resolver.mail("left.test"))
        await until(lambda: names.total > 0)
        return left

    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(leave())
    (flight,) = asyncio.all_tasks(loop) - {left}
    loop.close()
    asyncio.run(resolver.close())
    for task in (left, flight):
        task._log_destroy_pending = False  # type: ignore[union-attr]  # that is the point of this test


async def test_closing_ends_lookups_under_way_as_errors_and_it_can_be_used_again(resolving, names):
    resolver = resolving(names, timeout=60)
    names.fault("example.test", "silence", times=1)
    waiting = asyncio.create_task(resolver.mail("example.test"))
    await until(lambda: names.total == 1)
    await resolver.close()
    assert (await waiting).outcome == DomainOutcome.ERROR
    assert (await resolver.mail("example.test")).hosts == HOSTS


def test_the_system_names_servers():
    for address, port in system_servers():
        assert socket.getaddrinfo(address, port, flags=socket.AI_NUMERICHOST)
