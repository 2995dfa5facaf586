"""Connections are opened as they are needed, used again, and fewer where the relay wants fewer."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from engine.net import submission_pool
from engine.net.submission import Letter, Result, Trouble
from engine.net.submission_smtp import Limits, SmtpTransport
from tests.lab.receiver import OK, Act, Receiver
from tests.lab.running import until
from tests.net.submitting import deliver_all, letter, relayed, unarmed


def many(count: int, word: str = "ok") -> list[Letter]:
    return [letter(f"{word}.{number}@two.test") for number in range(count)]


async def one_by_one(transport: SmtpTransport, count: int) -> Counter[Result]:
    return Counter([(await transport.deliver(each, unarmed)).result for each in many(count)])


async def test_one_letter_after_the_other_needs_one_connection():
    with Receiver() as relay:
        async with relayed(relay) as transport:
            assert transport.connections == 0
            await one_by_one(transport, 5)
            assert transport.connections == 1
        await until(lambda: relay.open_now == 0)
    assert (relay.opened, relay.commands["RSET"], relay.commands["QUIT"], relay.unfinished) == (1, 0, 1, 0)


async def test_letters_at_once_share_no_more_connections_than_there_may_be():
    with Receiver(delay=0.005) as relay:
        async with relayed(relay, limits=Limits(connections=3)) as transport:
            receipts = await deliver_all(transport, many(20))
    assert {receipt.result for receipt in receipts} == {Result.SENT}
    assert (relay.most_open, relay.opened, set(relay.accepted.values())) == (3, 3, {1})


async def test_commands_travel_together_where_the_relay_allows():
    trips = {}
    for pipelining in (True, False):
        with Receiver(pipelining=pipelining) as relay:
            async with relayed(relay) as transport:
                await one_by_one(transport, 10)
        trips[pipelining] = relay.batches
    assert trips[True] < trips[False]


async def test_a_refused_letter_leaves_the_connection_to_the_next():
    with Receiver() as relay:
        async with relayed(relay) as transport:
            for word in ("missing", "spam", "busy", "ok"):
                receipt = await transport.deliver(letter(f"{word}@two.test"), unarmed)
    assert receipt.result is Result.SENT
    assert (relay.opened, relay.commands["RSET"]) == (1, 2)


async def test_a_connection_is_not_used_for_ever():
    with Receiver() as relay:
        async with relayed(relay, limits=Limits(letters=2)) as transport:
            await one_by_one(transport, 5)
    assert (relay.opened, len(relay.messages)) == (3, 5)


async def test_idle_connections_are_closed_with_a_word():
    with Receiver() as relay:
        async with relayed(relay, limits=Limits(idle=0.05)) as transport:
            await deliver_all(transport, many(3))
            await until(lambda: transport.connections == 0 and relay.open_now == 0)
            assert (relay.commands["QUIT"], relay.unfinished) == (relay.opened, 0)
            assert (await transport.deliver(letter(), unarmed)).result is Result.SENT


async def test_a_connection_that_the_relay_closed_meanwhile_is_not_used():
    first = Receiver().start()
    async with relayed(first) as transport:
        await deliver_all(transport, many(3))
        await asyncio.to_thread(first.stop)
        with Receiver(first.port) as second:
            receipts = await deliver_all(transport, many(3))
            assert {receipt.result for receipt in receipts} == {Result.SENT}
            assert len(second.messages) == 3


@pytest.mark.parametrize("end", ["421 4.4.2 Idle for too long", "!close", "!reset"])
async def test_a_connection_that_ends_at_mail_costs_the_letter_nothing(end: str):
    with Receiver() as relay:
        async with relayed(relay) as transport:
            await transport.deliver(letter(), unarmed)
            relay.scripts["a@one.test"] = [Act("mail", end), OK]
            receipt = await transport.deliver(letter("ok.b@two.test"), unarmed)
    assert (receipt.result, relay.opened, relay.accepted["ok.b@two.test"]) == (Result.SENT, 2, 1)


async def test_a_relay_that_takes_few_messages_on_a_connection_gets_them_all():
    with Receiver(quota=3) as relay:
        async with relayed(relay) as transport:
            assert await one_by_one(transport, 10) == {Result.SENT: 10}
    assert relay.opened == 4
    assert transport.closings == 0


async def test_a_relay_that_wants_few_connections_gets_few():
    with Receiver(most=2, delay=0.002) as relay:
        async with relayed(relay) as transport:
            receipts = await deliver_all(transport, many(60))
            refused = relay.opened
            again = await deliver_all(transport, many(60))
            assert transport.connections <= 2
    assert {receipt.result for receipt in (*receipts, *again)} == {Result.SENT}
    assert set(relay.accepted.values()) == {2}
    assert relay.opened == refused, "those refused once are not asked for again at once"


async def test_repeated_421_is_counted_until_a_letter_is_taken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(submission_pool, "FIRST_PAUSE", 0.001)
    with Receiver() as relay:
        async with relayed(relay) as transport:
            receipts = [await transport.deliver(letter("closing@two.test"), unarmed) for _ in range(3)]
            assert {receipt.trouble for receipt in receipts} == {Trouble.CLOSING}
            assert transport.closings == 3
            await transport.deliver(letter(), unarmed)
            assert transport.closings == 0


async def test_a_421_is_heard_once_however_many_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(submission_pool, "FIRST_PAUSE", 60.0)
    monkeypatch.setattr(submission_pool, "LONGEST_PAUSE", 60.0)
    with Receiver(answers={"CONNECT": "421 4.7.0 Not now"}) as relay:
        async with relayed(relay) as transport:
            troubles = Counter(receipt.trouble for receipt in await deliver_all(transport, many(30)))
            assert troubles == {Trouble.CLOSING: 1, Trouble.CONNECTION: 29}
            assert (transport.closings, relay.opened) == (1, 1)


async def test_a_relay_that_is_down_is_asked_ever_more_rarely(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(submission_pool, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(submission_pool, "PATIENCE", 0.1)
    with Receiver(answers={"CONNECT": "!close"}) as relay:
        async with relayed(relay) as transport:
            receipts = await deliver_all(transport, many(200))
            results = Counter(receipt.result for receipt in receipts)
            assert {receipt.trouble for receipt in receipts} == {Trouble.CONNECTION}
            assert results[Result.RETRY] + results[Result.UNSENT] == 200
            assert results[Result.RETRY] < relay.opened + 1 < 12, "whoever did not try pays no attempt"
            assert all(receipt.wait > 0.1 for receipt in receipts if receipt.result is Result.UNSENT)
            relay.set(answers={})
            transport._pool._resume_at = 0.0
            assert (await transport.deliver(letter(), unarmed)).result is Result.SENT


async def test_a_short_outage_costs_few_letters_their_turn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(submission_pool, "FIRST_PAUSE", 0.05)
    first = Receiver().start()
    port = first.port
    async with relayed(first) as transport:
        await transport.deliver(letter(), unarmed)
        await asyncio.to_thread(first.stop)
        tasks = [asyncio.create_task(transport.deliver(each, unarmed)) for each in many(30)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        with Receiver(port) as second:
            results = Counter(receipt.result for receipt in await asyncio.gather(*tasks))
            assert results[Result.SENT] == len(second.messages) > 20
            assert results[Result.SENT] + results[Result.RETRY] == 30


async def test_whoever_waits_when_it_closes_is_told(monkeypatch: pytest.MonkeyPatch):
    for name in ("FIRST_PAUSE", "LONGEST_PAUSE", "PATIENCE"):
        monkeypatch.setattr(submission_pool, name, 60.0)
    with Receiver() as relay:
        relay.set(answers={"CONNECT": "!close"})
        async with relayed(relay) as transport:
            assert (await transport.deliver(letter(), unarmed)).result is Result.RETRY
            tasks = [asyncio.create_task(transport.deliver(each, unarmed)) for each in many(12)]
            await until(lambda: transport._pool._gate.locked())
            await transport.close()
            assert {receipt.result for receipt in await asyncio.gather(*tasks)} == {Result.UNSENT}


async def test_a_letter_on_its_way_ends_before_its_connection():
    with Receiver() as relay:
        async with relayed(relay) as transport:
            task = asyncio.create_task(transport.deliver(letter("slow@two.test"), unarmed))
            await until(lambda: relay.commands["DOT"] == 1)
            await transport.close()
            assert (await task).result is Result.SENT
            await until(lambda: relay.open_now == 0)


async def test_who_gives_up_waiting_leaves_the_place_to_the_next():
    with Receiver() as relay:
        async with relayed(relay, limits=Limits(connections=1)) as transport:
            go = asyncio.Event()

            async def hold() -> None:
                await go.wait()

            first = asyncio.create_task(transport.deliver(letter("ok.a@two.test"), hold))
            await until(lambda: relay.commands["DATA"] == 1)
            second, third = (asyncio.create_task(transport.deliver(each, unarmed)) for each in many(2))
            await until(lambda: len(transport._pool._waiting) == 2)
            go.set()
            second.cancel()
            assert (await first).result is Result.SENT
            assert (await third).result is Result.SENT
