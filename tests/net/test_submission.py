"""Every transport keeps the same promises: the fake, the outbox, and SMTP to a relay of the lab."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.errors import LeaseLost
from engine.net.outbox import Outbox
from engine.net.submission import FakeTransport, Receipt, Result, Transport
from tests.lab.receiver import Receiver
from tests.net.submitting import TEXT, Armed, deliver_all, letter, relayed


class World:
    """A transport, and what arrived by it."""

    def __init__(self, transport: Transport, arrived: Callable[[], list[bytes]]) -> None:
        self.transport, self.arrived = transport, arrived


@pytest.fixture(params=["fake", "outbox", "smtp"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "fake":
        fake = FakeTransport()
        yield World(fake, lambda: [each.data for each in fake.taken])
    elif request.param == "outbox":
        outbox = Outbox(tmp_path)
        yield World(outbox, lambda: [path.read_bytes() for path in tmp_path.rglob("*.eml")])
        await outbox.close()
    else:
        with Receiver() as relay:
            async with relayed(relay) as transport:
                yield World(transport, lambda: [message.data for message in relay.messages])


async def test_a_letter_is_armed_once_and_arrives_as_it_is(world: World):
    arm = Armed(during=lambda: before.extend(world.arrived()))
    before: list[bytes] = []
    receipt = await world.transport.deliver(letter(), arm)
    assert (receipt.result, receipt.error, arm.count) == (Result.SENT, "", 1)
    assert receipt.reply
    assert (before, world.arrived()) == ([], [TEXT])


async def test_what_arm_raises_passes_and_nothing_arrives(world: World):
    with pytest.raises(LeaseLost):
        await world.transport.deliver(letter(), Armed(LeaseLost()))
    assert world.arrived() == []
    assert (await world.transport.deliver(letter(), Armed())).result is Result.SENT
    assert world.arrived() == [TEXT]


async def test_cancelled_before_it_is_armed_nothing_arrives(world: World):
    waiting = asyncio.Event()

    async def arm() -> None:
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(world.transport.deliver(letter(), arm))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await world.transport.deliver(letter(), Armed())).result is Result.SENT
    assert world.arrived() == [TEXT]


async def test_more_letters_than_it_takes_at_once_wait_for_their_turn(world: World):
    letters = [letter(f"ok.{number}@two.test", b"%d\r\n" % number) for number in range(3 * world.transport.capacity)]
    assert {receipt.result for receipt in await deliver_all(world.transport, letters)} == {Result.SENT}
    assert sorted(world.arrived()) == sorted(each.data for each in letters)


async def test_a_closed_transport_sends_nothing(world: World):
    await world.transport.close()
    arm = Armed()
    assert (await world.transport.deliver(letter(), arm)).result is Result.UNSENT
    assert (arm.count, world.arrived()) == (0, [])


async def test_the_fake_answers_as_it_is_told():
    later, doubt = Receipt(Result.RETRY, 451), Receipt(Result.IN_DOUBT)
    fake = FakeTransport(
        {"a@x.test": [later], "b@x.test": [later], "c@x.test": [doubt], "d@x.test": [doubt]},
        at_the_dot=frozenset({"b@x.test"}),
        kept=frozenset({"d@x.test"}),
    )
    armed = {}
    for name in "abcd":
        arm = Armed()
        await fake.deliver(letter(f"{name}@x.test"), arm)
        armed[name] = arm.count
    assert armed == {"a": 0, "b": 1, "c": 1, "d": 1}
    assert [each.recipient for each in fake.taken] == ["d@x.test"]
    assert await fake.deliver(letter("a@x.test"), Armed()) == Receipt(Result.SENT, 250, "2.0.0 Ok")
    assert fake.tries["a@x.test"] == 2
