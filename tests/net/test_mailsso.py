"""The mails.so client against a stand-in of the service: what is asked, what is paid, and what is told when it goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import httpx
import pytest
from structlog.testing import capture_logs

from engine.mail.evidence import Reason, ServiceAnswer, Status
from engine.net.calls import counting
from engine.net.guard import Guard, transport
from engine.net.mailsso import HANDFUL, MAX_BATCH, FakeMailsSo, MailsSoClient
from engine.net.mailsso_wire import GATED_SECONDS, REFUSED_SECONDS, Patience
from tests.lab.mailsso import BAD, FREE, GOOD, MailsSoServer
from tests.lab.running import in_process, until
from tests.net.asking import FEW, MANY, Asker, Time, quick


@pytest.fixture
def server() -> Iterator[MailsSoServer]:
    with MailsSoServer() as running:
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def asker(server: MailsSoServer, time: Time):
    client = MailsSoClient(
        server.url, transport(Guard(allow_private=True)), clock=time.clock, now=time.now, sleep=time.sleep, patience=Patience()
    )
    yield Asker(client)
    await client.close()


async def test_a_handful_is_asked_one_by_one(asker, server):
    answers = await asker.ask(FEW)
    assert {answer.status for answer in answers.values()} == {Status.VALID}
    assert dict(server.calls) == {"single": 3}
    assert asker.service.calls == 3
    assert len(asker.groups) >= 1
    assert not asker.started


async def test_more_go_into_one_batch_which_is_written_down_before_it_is_waited_for(asker, server, time):
    server.looks = 4
    answers = await asker.ask(MANY)
    assert {answer.reason for answer in answers.values()} == {Reason.MAILBOX_EXISTS}
    assert dict(server.calls) == {"batch": 1, "poll": 5}
    assert asker.started == list(server.batches)
    assert time.slept == sorted(time.slept), "the looks get rarer"
    assert time.slept[0] == Patience().first_poll
    assert max(time.slept) <= Patience().last_poll


async def test_an_answer_in_an_envelope_is_read_too(asker, server):
    server.envelope = True
    await asker.ask(MANY)
    assert asker.errors() == {""}


async def test_calls_are_counted_for_whoever_asked(asker, server):
    with counting() as calls:
        await asker.ask(FEW)
    assert calls["mailsso"] == 3


async def test_a_path_in_the_base_url_is_kept(server, time):
    other = MailsSoClient(f"{server.url}/proxy/mails/v1/", None)
    await Asker(other).ask([*MANY, "üñí@example.test", "a+b&c=d@example.test"])
    await other.close()
    assert dict(server.calls) == {"batch": 1, "poll": 1}
    assert server.charges["a+b&c=d@example.test"] == 1


async def test_special_characters_arrive(asker, server):
    await asker.ask(["a+b&c=d#e@example.test", "jürgen@example.test"])
    assert set(server.charges) == {"a+b&c=d#e@example.test", "jürgen@example.test"}


async def test_what_a_batch_leaves_out_is_asked_one_by_one(asker, server):
    server.recent = set(MANY[:7])
    await asker.ask(MANY)
    assert asker.errors() == {""}
    assert dict(server.calls) == {"batch": 1, "poll": 1, "single": 7}
    assert not server.charged_twice
    assert len(asker.groups[0]) == 13, "paid answers are handed on before more is asked"


async def test_case_and_extra_addresses_do_not_confuse(asker, server):
    server.extra = [server.verdict("stranger@example.test"), None, 7, {"email": 3}, {"email": MANY[0]}]
    shouted = [address.upper() for address in MANY]
    await asker.ask([*MANY, *shouted, MANY[0]])
    assert asker.errors() == {""}
    assert dict(server.calls) == {"batch": 1, "poll": 1}
    assert server.charged == len(MANY)


async def test_a_plan_without_batches_falls_back_and_is_remembered_for_a_while(asker, server, time):
    await asker.ask(MANY, FREE)
    assert asker.errors() == {""}
    assert dict(server.calls) == {"batch": 1, "single": 20}
    await asker.ask([f"x{address}" for address in MANY], FREE)
    assert server.calls["batch"] == 1
    time.at += GATED_SECONDS
    await asker.ask([f"y{address}" for address in MANY], FREE)
    assert server.calls["batch"] == 2
    assert server.most <= Patience().singles


async def test_a_refused_key_is_not_tried_again_for_a_while(asker, server, time):
    for _ in range(50):
        await asker.ask(MANY, BAD)
        await asker.ask(FEW, BAD)
    assert server.total == 1
    assert asker.errors() == {"The service refused the API key (HTTP 401)."}
    time.at += REFUSED_SECONDS
    await asker.ask(FEW, BAD)
    assert server.total == 1 + 3, "singles are under way together"
    await asker.ask(FEW, GOOD)
    assert asker.errors() == {""}


@pytest.mark.parametrize("key", ["", "  ", "secret\nkey", "sécret", "secret key"])
async def test_a_key_that_no_header_can_hold_is_not_sent(asker, server, key):
    await asker.ask(FEW, key)
    assert server.total == 0
    assert all("API key" in error for error in asker.errors())


async def test_a_resumed_batch_is_not_paid_for_twice(asker, server, time):
    await asker.ask(MANY)
    number = asker.started[0]
    again = quick(server, time)
    await again.ask(MANY, batch=number)
    assert again.errors() == {""}
    assert not again.started
    assert server.calls["batch"] == 1
    assert server.charged == len(MANY)
    await again.service.close()


async def test_a_batch_that_the_service_lost_is_asked_for_anew(asker, server):
    server.remember = False
    await asker.ask(MANY)
    server.forget()
    await asker.ask(MANY, batch=asker.started[0])
    assert len(asker.started) == 2
    assert asker.errors() == {""}
    assert dict(server.calls) == {"batch": 2, "poll": 3}


@pytest.mark.parametrize("number", ["../../v1/validate?email=x", "b/1", "%2e", "x" * 300])
async def test_an_id_of_a_batch_cannot_leave_its_path(asker, server, number):
    await asker.ask(FEW, batch=number)
    assert dict(server.calls) == {"poll": 1, "single": 3}


async def test_the_key_is_nowhere_but_in_its_header(asker, server, caplog):
    caplog.set_level(0)
    secret = "sk-hunter2-hunter2"
    with capture_logs() as logs:
        for fault in ("500", "403", "429", "redirect"):
            server.fault("single", fault, times=4)
        answers = await asker.ask(MANY, secret)
        await asker.ask(MANY, secret + "\n\x00é")
    told = f"{logs} {caplog.text} {answers} {asker.answers} {asker.service!r} {vars(asker.service)} {vars(asker.service._wire)}"
    assert secret not in told
    assert secret in server.seen_keys
    assert MANY[0] not in f"{logs}"
    assert "person0" not in caplog.text


async def test_what_the_caller_raises_is_raised_and_nothing_more_is_asked(asker, server):
    class Lost(Exception):
        pass

    async def fail(_: object) -> None:
        raise Lost

    async def fine(_: object) -> None:
        pass

    with pytest.raises(Lost):
        await asker.service.validate(MANY, FREE, batch=None, started=fine, answered=fail)
    assert server.calls["single"] <= Patience().singles
    with pytest.raises(Lost):
        await asker.service.validate(MANY, GOOD, batch=None, started=fail, answered=fine)
    assert server.calls["poll"] == 0


async def test_a_cancelled_validation_can_go_on_from_its_batch(server):
    asker = Asker(MailsSoClient(server.url, None))
    server.finish_after = 3600.0
    task = asyncio.create_task(asker.ask(MANY))
    await until(lambda: server.calls["poll"] > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for batch in server.batches.values():
        batch.finished = 0.0
    await asker.ask(MANY, batch=asker.started[0])
    assert asker.errors() == {""}
    assert server.charged == len(MANY)
    await asker.service.close()


async def test_answers_are_handed_on_one_call_at_a_time(asker, server):
    under_way, sizes = 0, []

    async def started(_: str) -> None:
        raise AssertionError

    async def answered(answers: Mapping[str, ServiceAnswer]) -> None:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        sizes.append(len(answers))
        if len(sizes) == 1:
            await until(lambda: server.calls["single"] == Patience().singles)
        under_way -= 1

    await asker.service.validate(MANY, FREE, batch=None, started=started, answered=answered)
    assert sum(sizes) == len(MANY)


async def test_nothing_asked_is_nothing_done_and_too_much_is_an_error(asker, server):
    assert await asker.ask([]) == {}
    assert await asker.ask([], batch="b-1") == {}
    assert server.total == 0
    with pytest.raises(ValueError, match="at most"):
        await asker.ask(["a@b.test"] * (MAX_BATCH + 1))


async def test_the_stand_in_runs_in_a_process_of_its_own():
    with in_process("tests.lab.mailsso") as port:
        asker = Asker(MailsSoClient(f"http://127.0.0.1:{port}", None))
        await asker.ask(MANY)
        async with httpx.AsyncClient(trust_env=False) as client:
            told = (await client.get(f"http://127.0.0.1:{port}/lab")).json()
        await asker.service.close()
    assert told["charged"] == 20
    assert told["charged_twice"] == []


@pytest.mark.parametrize("count", [1, HANDFUL, HANDFUL + 1, 200])
async def test_the_fake_keeps_the_same_promises(count):
    fake = FakeMailsSo({"A@b.test": ServiceAnswer(Status.INVALID, Reason.MAILBOX_NOT_FOUND)}, refused=[BAD])
    asker = Asker(fake)
    addresses = ["a@b.test", *MANY, *(f"{number}@c.test" for number in range(200))][:count]
    answers = await asker.ask(addresses)
    assert answers["a@b.test"].status is Status.INVALID
    assert bool(asker.started) == (count > HANDFUL)
    assert fake.asked == addresses
    await asker.ask(addresses, batch=asker.started[0] if asker.started else None)
    assert (fake.asked == addresses) == bool(asker.started), "a batch is not paid for twice"
    await asker.ask(addresses, BAD)
    assert "" not in asker.errors()
    assert fake.calls
