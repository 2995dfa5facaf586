"""The verifier asks about each address once, keeps every answer at once, and never waits long for the slow ones."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from engine.durable.contract import Json
from engine.durable.verdict_cache import FakeVerdicts
from engine.durable.verdicts import Known
from engine.mail.address import Address, parse
from engine.mail.evidence import Answer
from engine.net.dns import FakeResolver
from engine.verifying import verifier as module
from engine.verifying.ask import Answers, Ask, Memory, Service
from engine.verifying.verifier import Limits, Verifier
from tests.verifying.world import MX, SINCE, Clock, Paid, Prober


class World:
    """A verifier over doors that count, and one batch's memory."""

    def __init__(self, prober: Prober | None = None) -> None:
        self.cache, self.resolver, self.paid, self.clock = FakeVerdicts(), FakeResolver(MX), Paid(), Clock()
        self.prober = prober or Prober()
        self.memory, self.saved = Memory(), list[Json]()
        self.verifier = Verifier(self.cache, self.resolver, self.prober, self.paid, Limits(waits=(300.0, 1200.0)))

    async def check(self, *texts: str, service: Service = Service.SMTP, memory: Memory | None = None, **more: Any) -> Answers:
        parsed = [one for one in map(parse, texts) if isinstance(one, Address)]
        assert len(parsed) == len(texts)
        ask = Ask(service, **{"job_id": "job", "since": SINCE, **more})

        async def save(state: Json) -> None:
            self.saved.append(state)

        return await self.verifier.check(
            {one.key: one for one in parsed}, ask, self.memory if memory is None else memory, self.clock, save
        )

    def statuses(self, answers: Answers) -> dict[str, str]:
        return {key: f"{one.status} {one.reason}" for key, one in answers.found.items()}


def row(address: str, status: str, level: str, job: str = "older", at: int = SINCE - 1000) -> Known:
    return Known(address, status, "mailbox_exists", level, 90, {}, at, job, 1)


async def test_domains_are_asked_once_however_many_addresses_they_have():
    world = World()
    answers = await world.check(*[f"p{n}@d.test" for n in range(50)], "x@nowhere.test", "y@dead.test", service=Service.DNS)
    assert answers.until is None
    assert world.resolver.asked == {("d.test", "mail"): 1, ("nowhere.test", "mail"): 1, ("dead.test", "mail"): 1}
    told = world.statuses(answers)
    assert told["p0@d.test"] == "valid domain_accepts_mail"
    assert told["x@nowhere.test"] == "invalid no_domain"
    assert told["y@dead.test"] == "unknown dns_error"
    assert world.prober.asked == []


@pytest.mark.parametrize("service", [Service.DNS, Service.SMTP])
async def test_what_is_kept_of_a_made_up_address_says_so(service: Service):
    world = World()
    await world.check("made@d.test", "real@d.test", service=service, synthetic=frozenset({"made@d.test"}))
    kept = {fresh.address: fresh.data.get("synthetic") for fresh in world.cache.saved}
    assert kept == {"made@d.test": True, "real@d.test": None}


async def test_mailboxes_are_asked_only_where_the_domain_takes_mail():
    world = World()
    answers = await world.check("a@d.test", "x@nowhere.test")
    assert world.statuses(answers) == {"a@d.test": "valid mailbox_exists", "x@nowhere.test": "invalid no_domain"}
    assert world.prober.asked == ["a@d.test"]
    assert {fresh.address for fresh in world.cache.saved} == {"a@d.test", "x@nowhere.test"}


@pytest.mark.parametrize(
    ("known", "service", "more", "spared"),
    [
        (row("a@d.test", "valid", "mailbox"), Service.SMTP, {}, True),
        (row("a@d.test", "valid", "mailbox"), Service.DNS, {}, True),
        (row("a@d.test", "valid", "domain"), Service.DNS, {}, True),
        (row("a@d.test", "valid", "domain"), Service.SMTP, {}, False),
        (row("a@d.test", "risky", "domain"), Service.SMTP, {}, False),
        (row("a@d.test", "invalid", "domain"), Service.SMTP, {}, True),
        (row("a@d.test", "unknown", "domain"), Service.SMTP, {}, False),
        (row("a@d.test", "unknown", "domain", "job", SINCE), Service.SMTP, {}, True),
        (row("a@d.test", "valid", "mailbox"), Service.SMTP, {"oldest": SINCE}, False),
        (row("a@d.test", "valid", "mailbox", "job", SINCE), Service.SMTP, {"oldest": SINCE}, True),
    ],
)
async def test_what_is_known_spares_a_question(known: Known, service: Service, more: dict[str, Any], spared: bool):
    world = World()
    world.cache.known["a@d.test"] = known
    answers = await world.check("a@d.test", service=service, **more)
    assert (world.prober.asked == [] and not world.resolver.asked) == spared
    assert answers.found["a@d.test"].cached == (spared and known.job_id != "job")


async def test_an_unknown_known_by_another_job_is_asked_again():
    world = World(Prober(Answer.TIMEOUT))
    assert world.statuses(await world.check("a@d.test")) == {"a@d.test": "unknown timeout"}
    assert world.statuses(await world.check("a@d.test", job_id="next")) == {"a@d.test": "valid mailbox_exists"}
    assert world.prober.asked == ["a@d.test", "a@d.test"]


async def test_two_jobs_at_once_make_one_call():
    world = World()
    world.prober.open.clear()
    both = asyncio.gather(world.check("a@d.test"), world.check("a@d.test", job_id="other", memory=Memory()))
    await asyncio.sleep(0)
    world.prober.open.set()
    first, second = await both
    assert world.statuses(first) == world.statuses(second) == {"a@d.test": "valid mailbox_exists"}
    assert world.prober.asked == ["a@d.test"]


async def test_another_process_that_is_asking_is_waited_for():
    world = World()
    world.cache.claimed.add("a@d.test")
    answers = await world.check("a@d.test")
    assert answers.until is not None and world.prober.asked == []
    await world.cache.release(["a@d.test"])
    assert (await world.check("a@d.test")).until is None


async def test_a_slow_answer_does_not_hold_up_the_batch_and_is_not_asked_twice():
    world = World()
    world.prober.open.clear()
    answers = await world.check("a@d.test", "x@nowhere.test")
    assert answers.until is not None and list(answers.found) == ["x@nowhere.test"]
    world.prober.open.set()
    memory = Memory.of(world.memory.state())
    for _ in range(20):
        answers = await world.check("a@d.test", "x@nowhere.test", memory=memory)
    assert answers.until is None
    assert world.prober.asked == ["a@d.test"]
    assert memory.calls["smtp"] == 1


async def test_naps_grow_without_progress(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    world = World()
    world.prober.open.clear()
    naps = []
    for _ in range(8):
        answers = await world.check("a@d.test")
        assert answers.until is not None
        naps.append((answers.until - SINCE) / 1000)
    world.prober.open.set()
    assert naps == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_greylisting_is_tried_again_and_then_unknown():
    world = World(Prober(*[Answer.GREYLISTED] * 3))
    for wait in (300, 1200):
        answers = await world.check("a@d.test")
        assert answers.until == round(world.clock.now.timestamp() * 1000) + wait * 1000
        early = await world.check("a@d.test")
        assert early.until == answers.until, "not before it is due"
        world.memory = Memory.of(world.memory.state())  # an engine restarts
        world.clock.now += timedelta(seconds=wait)
    answers = await world.check("a@d.test")
    assert world.statuses(answers) == {"a@d.test": "unknown greylisted"}
    assert len(world.prober.asked) == 3 and world.cache.claimed == set()


async def test_greylisting_that_passes_gives_the_verdict():
    world = World(Prober(Answer.GREYLISTED))
    await world.check("a@d.test", "b@d.test")
    world.clock.now += timedelta(seconds=300)
    answers = await world.check("a@d.test", "b@d.test")
    assert answers.until is None and set(world.statuses(answers).values()) == {"valid mailbox_exists"}
    assert sorted(world.prober.asked) == ["a@d.test", "a@d.test", "b@d.test"]


async def test_candidates_are_not_waited_for():
    world = World(Prober(Answer.GREYLISTED))
    answers = await world.check("a@d.test", patient=False)
    assert world.statuses(answers) == {"a@d.test": "unknown greylisted"}


async def test_a_busy_mail_server_parks_the_batch_without_asking():
    world = World(Prober(busy=20.0))
    answers = await world.check("a@d.test", "b@d.test")
    assert answers.until == SINCE + 20_000 and world.prober.asked == [] and world.cache.claimed == set()


async def test_an_unknown_beside_an_older_verdict_is_not_asked_twice_in_one_job():
    """The cache keeps the older verdict; the batch remembers that its own question got no answer."""
    world = World(Prober(Answer.TIMEOUT, Answer.GREYLISTED))
    world.cache.known["a@d.test"] = row("a@d.test", "valid", "mailbox")
    again: dict[str, Any] = {"oldest": SINCE}
    await world.check("a@d.test", "b@e.test", **again)
    world.memory = Memory.of(world.memory.state())
    world.clock.now += timedelta(seconds=300)
    answers = await world.check("a@d.test", "b@e.test", **again)
    assert world.statuses(answers)["a@d.test"] == "unknown timeout"
    assert world.prober.asked.count("a@d.test") == 1


async def test_synthetic_addresses_are_probed_within_the_cap():
    world = World()
    world.verifier.limits = Limits(cap=3)
    texts = [f"p{n}@d.test" for n in range(5)]
    answers = await world.check(*texts, "real@d.test", synthetic=frozenset(texts))
    told = list(world.statuses(answers).values())
    assert told.count("unknown rate_limited") == 2 and told.count("valid mailbox_exists") == 4
    assert len(world.prober.asked) == 4 and not any(fresh.status == "unknown" for fresh in world.cache.saved)


async def test_synthetic_addresses_are_on_record_where_a_service_is_paid():
    """Else they would teach how a domain spells its addresses, once the list that called them synthetic is forgotten."""
    world = World()
    world.verifier.limits = Limits(cap=1)
    made_up = frozenset({"p1@d.test", "p2@d.test", "p3@e.test"})
    await world.check(*made_up, "real@d.test", service=Service.MAILSSO, synthetic=made_up)
    assert len(world.paid.charged) == 4, "no cap where nobody's mail server is asked"
    marked = {(domain, key) for (_, domain), keys in world.cache.permitted.items() for key in keys}
    assert marked == {("d.test", "p1@d.test"), ("d.test", "p2@d.test"), ("e.test", "p3@e.test")}


async def test_paid_answers_are_kept_one_by_one():
    world = World()
    world.paid.stumble = True
    with pytest.raises(OSError, match="dead"):
        await world.check("a@d.test", "b@d.test", service=Service.MAILSSO)
    assert [fresh.address for fresh in world.cache.saved] == ["a@d.test"]
    assert world.saved[-1]["batch"] == "b1" and world.cache.claimed == set()
    world.paid.stumble = False
    answers = await world.check("a@d.test", "b@d.test", service=Service.MAILSSO, memory=Memory.of(world.saved[-1]))
    assert answers.until is None and world.paid.charged == ["a@d.test", "b@d.test", "b@d.test"]
    assert not world.resolver.asked and world.prober.asked == []


async def test_a_key_is_in_no_representation():
    assert "hush" not in repr(Ask(Service.MAILSSO, api_key="hush"))
