"""The resolver against the lab's name server: what it finds, and how often it asks."""

from __future__ import annotations

import asyncio
import time

import pytest

from engine.mail.evidence import DomainFacts, DomainOutcome
from engine.mail.records import RecordOutcome, Records
from engine.net.dns import ERROR_TTL, LEAST_TTL, LONGEST_NEGATIVE_TTL, LONGEST_TTL, DnsResolver, FakeResolver
from tests.lab.running import in_process, until

MX = [(10, "mx1.example.test"), (20, "mx2.example.test")]
HOSTS = ("mx1.example.test", "mx2.example.test")


# What it finds.

MAIL = [
    pytest.param({"mx": MX}, HOSTS, id="by preference"),
    pytest.param({"mx": [(20, "b.test"), (5, "c.test"), (10, "a.test")]}, ("c.test", "a.test", "b.test"), id="unsorted"),
    pytest.param({"mx": [(10, "MX1.Example.TEST.")]}, ("mx1.example.test",), id="upper case"),
    pytest.param({"mx": [(10, "a.test"), (10, "b.test"), (20, "a.test")]}, ("a.test", "b.test"), id="each host once"),
    pytest.param({"mx": [(0, "."), (10, "a.test")]}, ("a.test",), id="the root beside others is no host"),
    pytest.param({"mx": [(0, "xn--bcher-kva.test")]}, ("xn--bcher-kva.test",), id="an international host"),
    pytest.param({"mx": [(n, f"mx{n}.{'long' * 12}.test") for n in range(60)]}, None, id="too many for UDP"),
]


@pytest.mark.parametrize(("records", "hosts"), MAIL)
async def test_a_domain_with_exchangers_takes_mail_there_by_preference(resolver, names, records, hosts):
    names.add("some.test", **records)
    facts = await resolver.mail("some.test")
    assert facts == DomainFacts(DomainOutcome.MAIL, hosts or tuple(host for _, host in records["mx"]))


NO_MAIL = [
    pytest.param({"mx": [(0, ".")], "a": ["127.0.0.1"]}, DomainOutcome.NULL_MX, id="null MX"),
    pytest.param({"mx": [(10, ".")]}, DomainOutcome.NULL_MX, id="null MX with another preference"),
    pytest.param({"txt": ["hello"]}, DomainOutcome.NO_HOST, id="neither MX nor address"),
    pytest.param(None, DomainOutcome.NO_DOMAIN, id="no such domain"),
]


@pytest.mark.parametrize(("records", "outcome"), NO_MAIL)
async def test_a_domain_that_takes_no_mail_says_why(resolver, names, records, outcome):
    if records is not None:
        names.add("some.test", **records)
    facts = await resolver.mail("some.test")
    assert (facts.outcome, facts.hosts, facts.implicit) == (outcome, (), False)
    assert facts.detail


@pytest.mark.parametrize("records", [{"a": ["127.0.0.1"]}, {"aaaa": ["::1"]}, {"a": ["127.0.0.1"], "aaaa": ["::1"]}])
async def test_without_mx_the_domains_own_address_takes_its_mail(resolver, names, records):
    names.add("some.test", **records)
    facts = await resolver.mail("Some.Test.")
    assert (facts.outcome, facts.hosts, facts.implicit) == (DomainOutcome.MAIL, ("some.test",), True)


@pytest.mark.parametrize("name", ["", ".", "a..test", "x" * 64 + ".test", "a b.test", "x." * 127 + "test", "a\N{SNOWMAN}\0.test"])
async def test_a_name_that_cannot_exist_is_no_domain_and_is_not_asked_for(resolver, names, name):
    assert (await resolver.mail(name)).outcome == DomainOutcome.NO_DOMAIN
    assert (await resolver.addresses(name), names.total) == ((), 0)


async def test_an_international_domain_is_asked_for_in_its_ascii_form(resolver, names):
    names.add("xn--bcher-kva.test", mx=MX)
    assert (await resolver.mail("xn--bcher-kva.test")).hosts == HOSTS
    assert (await resolver.mail("b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.test")).hosts == HOSTS
    assert names.asked("xn--bcher-kva.test", "MX") == 1


async def test_aliases_are_followed_for_exchangers_and_addresses(resolver, names):
    names.add("alias.test", cname="second.test")
    names.add("second.test", cname="example.test")
    names.add("bare.test", a=["127.0.0.3"])
    names.add("www.test", cname="bare.test")
    names.add("dangling.test", cname="nothing.test")
    assert (await resolver.mail("alias.test")).hosts == HOSTS
    assert await resolver.addresses("alias.test") == ("127.0.0.2",)
    assert await resolver.mail("www.test") == DomainFacts(
        DomainOutcome.MAIL, ("www.test",), implicit=True, detail="no MX; the domain has an address"
    )
    assert (await resolver.mail("dangling.test")).outcome == DomainOutcome.NO_DOMAIN


async def test_an_exchanger_that_is_an_alias_keeps_its_name_and_has_the_targets_addresses(resolver, names):
    names.add("some.test", mx=[(10, "alias.test")])
    names.add("alias.test", cname="example.test")
    assert (await resolver.mail("some.test")).hosts == ("alias.test",)
    assert await resolver.addresses("alias.test") == ("127.0.0.2",)


async def test_an_alias_that_the_server_does_not_follow_is_asked_for(resolver, names):
    names.add("alias.test", cname="example.test")
    names.fault("alias.test", "unfollowed")
    assert (await resolver.mail("alias.test")).hosts == HOSTS
    assert names.asked("example.test", "MX") == 1


@pytest.mark.parametrize("mode", [None, "unfollowed"])
async def test_aliases_in_a_circle_are_an_error(resolving, names, mode):
    names.add("a.test", cname="b.test", fault=mode)
    names.add("b.test", cname="a.test", fault=mode)
    resolver = resolving(names)
    first, second = await asyncio.gather(resolver.mail("a.test"), resolver.mail("b.test"))
    assert first.outcome == second.outcome == DomainOutcome.ERROR


async def test_addresses_are_ipv4_then_ipv6_and_empty_for_none(resolver, names):
    names.add("both.test", aaaa=["::1", "2001:db8::1"], a=["127.0.0.9", "127.0.0.8"])
    assert await resolver.addresses("both.test") == ("127.0.0.9", "127.0.0.8", "::1", "2001:db8::1")
    assert await resolver.addresses("nothing.test") == ()


async def test_texts_come_in_one_piece(resolver):
    assert await resolver.txt("example.test") == ("v=spf1 -all", "x" * 300)
    assert await resolver.txt("nothing.test") == ()


# How often it asks.


async def test_a_thousand_who_wait_for_one_domain_make_one_question(resolver, names):
    with names.holding():
        waiting = [asyncio.create_task(resolver.mail("example.test")) for _ in range(1000)]
        await until(lambda: names.total > 0)
    found = await asyncio.gather(*waiting)
    assert {facts.hosts for facts in found} == {HOSTS}
    assert (names.total, resolver.queries) == (1, 1)


async def test_a_waiter_who_leaves_does_not_stop_the_lookup(resolver, names):
    with names.holding():
        first, second = (asyncio.create_task(resolver.mail("example.test")) for _ in range(2))
        await until(lambda: names.total == 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    assert (await second).hosts == HOSTS
    assert names.total == 1


async def test_a_lookup_that_everybody_left_serves_who_comes_later(resolver, names):
    with names.holding():
        only = asyncio.create_task(resolver.mail("example.test"))
        await until(lambda: names.total == 1)
        only.cancel()
        await asyncio.gather(only, return_exceptions=True)
    assert (await resolver.mail("example.test")).hosts == HOSTS
    assert names.total == 1


@pytest.mark.parametrize(("ttl", "kept"), [(300, 300.0), (0, LEAST_TTL), (10_000_000, LONGEST_TTL)])
async def test_records_are_kept_for_their_time(resolver, names, clock, ttl, kept):
    names.add("some.test", mx=MX, ttl=ttl)
    await resolver.mail("some.test")
    clock.now += kept - 1
    await resolver.mail("some.test")
    assert names.total == 1
    clock.now += 2
    await resolver.mail("SOME.test")
    assert names.total == 2


@pytest.mark.parametrize(("ttl", "kept"), [(600, 600.0), (1, LEAST_TTL), (10_000_000, LONGEST_NEGATIVE_TTL)])
async def test_that_there_is_no_domain_is_kept_as_its_zone_says(resolver, names, clock, ttl, kept):
    names.negative_ttl = ttl
    for seconds, asked in ((0, 1), (kept - 1, 1), (2, 2)):
        clock.now += seconds
        assert (await resolver.mail("nothing.test")).outcome == DomainOutcome.NO_DOMAIN
        assert names.total == asked


async def test_an_error_is_kept_only_briefly(resolving, names, clock):
    names.fault("example.test", "servfail", times=2)
    resolver = resolving(names, tries=2)
    for seconds, outcome, asked in (
        (0, DomainOutcome.ERROR, 2),
        (ERROR_TTL - 1, DomainOutcome.ERROR, 2),
        (2, DomainOutcome.MAIL, 3),
    ):
        clock.now += seconds
        assert (await resolver.mail("example.test")).outcome == outcome
        assert names.total == asked


async def test_the_cache_is_bounded_and_forgets_what_was_not_used(resolving, names):
    names.add("*.many.test", mx=MX)
    resolver = resolving(names, cache=3)
    for name in ("a", "b", "c", "a", "d", "a"):
        await resolver.mail(f"{name}.many.test")
    assert names.total == 4
    await resolver.mail("b.many.test")
    assert names.asked("b.many.test") == 2


async def test_no_more_questions_are_out_at_once_than_allowed(resolving, names):
    names.add("*.many.test", mx=MX)
    names.delay = 0.02
    resolver = resolving(names, concurrency=5)
    began = time.monotonic()
    await asyncio.gather(*(resolver.mail(f"{n}.many.test") for n in range(50)))
    assert time.monotonic() - began >= 10 * 0.02


async def test_the_fake_answers_as_it_was_told():
    broken = DomainFacts(DomainOutcome.ERROR, detail="SERVFAIL")
    fake = FakeResolver({"a.test": ["mx.test"], "b.test": broken}, {"mx.test": ["127.0.0.1"]}, {"a.test": ["v=spf1"]})
    assert await fake.mail("a.test") == DomainFacts(DomainOutcome.MAIL, ("mx.test",))
    assert await fake.mail("b.test") == await fake.mail("b.test") == broken
    assert (await fake.mail("c.test")).outcome == DomainOutcome.NO_DOMAIN
    assert (await fake.addresses("mx.test"), await fake.txt("a.test"), await fake.addresses("a.test")) == (
        ("127.0.0.1",),
        ("v=spf1",),
        (),
    )
    assert (fake.queries, fake.asked["b.test", "mail"]) == (6, 2)


@pytest.mark.slow
async def test_many_domains_are_looked_up_quickly(tmp_path):
    zones = tmp_path / "zones.json"
    zones.write_text('{"*.many.test": {"mx": [[10, "mx1.many.test"], [20, "mx2.many.test"]]}}')
    with in_process("tests.lab.dns", "--zones", str(zones)) as port:
        resolver = DnsResolver([("127.0.0.1", port)])
        began = time.process_time()
        found = await asyncio.gather(*(resolver.mail(f"{n}.many.test") for n in range(5000)))
        rate = 5000 / (time.process_time() - began)
        assert {facts.hosts for facts in found} == {("mx1.many.test", "mx2.many.test")}
        assert await resolver.txt("total.lab") == ("5000",)
        await resolver.close()
    assert rate > 300, f"{rate:.0f} lookups in a second of processor time; some 5,000 are usual"


# What tells "none" from "no answer".


@pytest.mark.parametrize(
    ("kind", "values"),
    [("A", ("127.0.0.2",)), ("MX", HOSTS), ("TXT", ("v=spf1 -all", "x" * 300))],
)
async def test_records_are_found_by_kind(resolver, kind, values):
    assert await resolver.records("example.test", kind) == Records(RecordOutcome.FOUND, values)


async def test_no_records_no_name_and_no_answer_are_three_things(resolver, names):
    names.add("bad.test", txt=["v=spf1 -all"])
    names.fault("bad.test", "servfail")
    assert (await resolver.records("example.test", "AAAA")).outcome is RecordOutcome.NO_DATA
    assert (await resolver.records("missing.test", "TXT")).outcome is RecordOutcome.NO_NAME
    failed = await resolver.records("bad.test", "TXT")
    assert (failed.outcome, failed.values) == (RecordOutcome.FAILED, ())
    assert "SERVFAIL" in failed.detail


async def test_the_fake_tells_the_three_apart_as_well():
    down = DomainFacts(DomainOutcome.ERROR, detail="SERVFAIL")
    fake = FakeResolver({"a.test": ["mx.a.test"], "down.test": down}, {"a.test": ["192.0.2.1", "2001:db8::1"]}, {"t.test": ["x"]})
    assert await fake.records("a.test", "MX") == Records(RecordOutcome.FOUND, ("mx.a.test",))
    assert (await fake.records("a.test", "AAAA")).values == ("2001:db8::1",)
    assert (await fake.records("t.test", "TXT")).values == ("x",)
    assert (await fake.records("a.test", "TXT")).outcome is RecordOutcome.NO_DATA
    assert (await fake.records("b.test", "TXT")).outcome is RecordOutcome.NO_NAME
    assert (await fake.records("down.test", "TXT")).outcome is RecordOutcome.FAILED
