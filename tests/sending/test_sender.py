"""The sender: nothing twice, nothing lost, nothing written off in silence."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

import pytest

from engine.durable.ledger import State
from engine.errors import Held, LeaseLost
from engine.mail.message import RowFlaw
from engine.net.submission import Arm, FakeTransport, Letter, Receipt, Result, Trouble
from engine.sending.halting import CLOSINGS
from engine.sending.parcels import Pace, Route
from tests.sending.world import JOB, World, order

A, B, C = "a@one.test", "b@one.test", "c@two.test"
LATER = Receipt(Result.RETRY, 451, "4.3.0 Later", "The server asked to wait.")
GONE = Receipt(Result.FAILED, 550, "5.1.1 User unknown", "Refused.", hard=True)
OUT_OF_REACH = Receipt(Result.UNSENT, error="The relay is out of reach.", trouble=Trouble.CONNECTION, wait=30.0)


class Slow(FakeTransport):
    """Waits after the dot until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.armed, self.go = asyncio.Event(), asyncio.Event()

    async def deliver(self, letter: Letter, arm: Arm) -> Receipt:
        await arm()
        self.armed.set()
        await self.go.wait()
        self.taken.append(letter)
        return Receipt(Result.SENT, 250, "2.0.0 Ok")


async def test_everybody_gets_one():
    world = World()
    answer = await world.sender.send(order(A, B, C), world.now)
    assert {key: entry.state for key, entry in answer.entries.items()} == dict.fromkeys((A, B, C), State.SENT)
    assert answer.until is None and sorted(letter.recipient for letter in world.transport.taken) == [A, B, C]
    assert answer.entries[A].sent_at == round(world.at * 1000) and answer.entries[A].message_id == f"<{A}>"


async def test_the_same_batch_again_sends_nothing():
    world = World()
    await world.sender.send(order(A, B), world.now)
    answer = await world.sender.send(order(A, B, job=replace(JOB, lease=2)), world.now)
    assert len(world.transport.taken) == 2 and {entry.state for entry in answer.entries.values()} == {State.SENT}


async def test_a_deferred_message_waits_and_only_it():
    world = World(FakeTransport({B: [LATER, LATER]}))
    answer = await world.sender.send(order(A, B), world.now)
    assert answer.until == round((world.at + 300) * 1000) and answer.entries[B].error == "The server asked to wait."
    early = await world.sender.send(order(A, B), world.now)
    assert early.until == answer.until and world.transport.tries[B] == 1, "not before its time"
    world.at += 300
    answer = await world.sender.send(order(A, B), world.now)
    assert answer.until == round((world.at + 390) * 1000)
    world.at += 390
    answer = await world.sender.send(order(A, B), world.now)
    assert answer.until is None and answer.entries[B].attempts == 3 and world.transport.tries == {A: 1, B: 3}


async def test_a_mailbox_that_is_gone_is_suppressed_for_all_jobs():
    world = World(FakeTransport({A: [GONE]}))
    answer = await world.sender.send(order(A), world.now)
    assert answer.entries[A].state is State.FAILED and "5.1.1" in world.ledger.listed[A]
    other = await world.sender.send(order(A, B, job=replace(JOB, id="other")), world.now)
    assert (other.entries[A].state, other.entries[B].state) == (State.SUPPRESSED, State.SENT)
    assert world.transport.tries[A] == 1


async def test_whoever_is_suppressed_before_the_dot_gets_nothing():
    world = World()
    write = world.transport.deliver

    async def deliver(letter: Letter, arm: Arm) -> Receipt:
        world.ledger.listed[A] = "unsubscribed"
        return await write(letter, arm)

    world.transport.deliver = deliver  # type: ignore[method-assign]
    answer = await world.sender.send(order(A), world.now)
    assert answer.entries[A].state is State.SUPPRESSED and world.transport.taken == [] and answer.until is None


async def test_no_answer_to_the_dot_is_in_doubt_and_never_tried_again():
    world = World(FakeTransport({A: [Receipt(Result.IN_DOUBT, trouble=Trouble.CONNECTION)]}, kept=frozenset({A})))
    answer = await world.sender.send(order(A), world.now)
    assert answer.entries[A].state is State.IN_DOUBT and answer.until is None
    await world.sender.send(order(A, job=replace(JOB, lease=2)), world.now)
    assert len(world.transport.taken) == 1


async def test_a_batch_that_is_taken_away_still_writes_down_what_was_said():
    world = World(Slow())
    batch = asyncio.create_task(world.sender.send(order(A), world.now))
    await world.transport.armed.wait()  # type: ignore[attr-defined]
    batch.cancel()
    await asyncio.wait([batch])
    assert world.ledger.states("job") == {A: State.ARMED}
    again = asyncio.create_task(world.sender.send(order(A, job=replace(JOB, lease=2)), world.now))
    await asyncio.sleep(0)
    world.transport.go.set()  # type: ignore[attr-defined]
    answer = await again
    assert answer.entries[A].state is State.SENT, "the next run waits for it instead of doubting it"
    assert len(world.transport.taken) == 1


async def test_a_batch_that_is_taken_away_begins_nothing_more():
    world = World(Slow())
    world.transport.capacity = 1
    world = World(world.transport)
    batch = asyncio.create_task(world.sender.send(order(A, B, C), world.now))
    await world.transport.armed.wait()  # type: ignore[attr-defined]
    batch.cancel()
    await asyncio.wait([batch])
    world.transport.go.set()  # type: ignore[attr-defined]
    await world.sender.close()
    assert [letter.recipient for letter in world.transport.taken] == [A]
    assert world.ledger.states("job") == {A: State.SENT, B: State.QUEUED, C: State.QUEUED}


async def test_a_job_that_is_lost_before_the_dot_sends_nothing():
    world = World()
    write = world.transport.deliver

    async def deliver(letter: Letter, arm: Arm) -> Receipt:
        world.ledger.lost.add((JOB.id, JOB.lease))
        return await write(letter, arm)

    world.transport.deliver = deliver  # type: ignore[method-assign]
    with pytest.raises(LeaseLost):
        await world.sender.send(order(A), world.now)
    assert world.transport.taken == [] and world.ledger.states("job")[A] is not State.ARMED


async def test_a_relay_out_of_reach_costs_one_try_and_the_rest_wait():
    world = World(FakeTransport({A: [OUT_OF_REACH]}, capacity=1))
    answer = await world.sender.send(order(A, B, C), world.now)
    assert {entry.state for entry in answer.entries.values()} == {State.QUEUED}
    assert answer.until == round((world.at + 30) * 1000) and world.transport.tries == {A: 1}
    assert (await world.sender.send(order(A, B, C), world.now)).until == answer.until
    world.at += 31
    answer = await world.sender.send(order(A, B, C), world.now)
    assert answer.until is None and answer.entries[A].attempts == 1 and len(world.transport.taken) == 3


@pytest.mark.parametrize("trouble", [Trouble.LOGIN, Trouble.CLOSING])
async def test_what_waiting_does_not_mend_holds_the_job_until_it_is_resumed(trouble: Trouble):
    refused = Receipt(Result.RETRY, 535, "5.7.8 No", trouble=trouble)
    recipients = [f"r{n}@one.test" for n in range(40)]
    times = 1 if trouble is Trouble.LOGIN else CLOSINGS
    world = World(FakeTransport({one: [refused] for one in recipients[:times]}, capacity=1))
    with pytest.raises(Held, match=r"535 5\.7\.8 No"):
        await world.sender.send(order(*recipients), world.now)
    assert world.transport.tries.total() == times, "nothing more is begun once it is held"
    resumed = replace(JOB, lease=2)
    world.at += 400
    answer = await world.sender.send(order(*recipients, job=resumed), world.now)
    assert answer.until is None and len(world.transport.taken) == 40


async def test_after_a_refused_login_every_message_goes_out_at_once():
    refused = Receipt(Result.UNSENT, 535, "5.7.8 No", trouble=Trouble.LOGIN)
    world = World(FakeTransport({"r0@one.test": [refused]}, capacity=1))
    recipients = [f"r{n}@one.test" for n in range(3)]
    with pytest.raises(Held, match=r"535 5\.7\.8 No"):
        await world.sender.send(order(*recipients), world.now)
    answer = await world.sender.send(order(*recipients, job=replace(JOB, lease=2)), world.now)
    assert answer.until is None and [answer.entries[one].attempts for one in recipients] == [1, 1, 1]


async def test_a_rotten_list_holds_the_job():
    recipients = [f"r{n}@one.test" for n in range(60)]
    world = World(FakeTransport({one: [GONE] for one in recipients[50:]}, capacity=1))
    with pytest.raises(Held, match="mailboxes do not exist"):
        await world.sender.send(order(*recipients), world.now)
    assert 50 < world.transport.tries.total() < 60


async def test_without_a_relay_the_job_is_held_with_the_remedy():
    world = World()
    with pytest.raises(Held, match="POSTBENCH_SMTP_URL"):
        await world.sender.send(order(A, route=Route.OUTBOX), world.now)


async def test_a_slow_rate_parks_the_batch_instead_of_holding_it():
    world = World()
    recipients = [f"r{n}@one.test" for n in range(5)]
    moments = []
    answer = await world.sender.send(order(*recipients, pace=Pace(per_minute=6)), world.now)
    while answer.until is not None:
        moments.append(answer.until / 1000 - 1_900_000_000)
        world.at = answer.until / 1000
        answer = await world.sender.send(order(*recipients, pace=Pace(per_minute=6)), world.now)
    assert moments == pytest.approx([10, 20, 30, 40]) and len(world.transport.taken) == 5


async def test_never_more_at_once_than_the_transport_takes():
    world = World(FakeTransport(capacity=3))
    await asyncio.gather(
        *(world.sender.send(order(*(f"r{b}.{n}@one.test" for n in range(20))), world.now) for b in range(5)),
    )
    assert len(world.transport.taken) == 100 and world.transport.most <= 3
    assert 0 < world.ledger.most_armed <= 3


async def test_a_message_whose_retry_is_due_while_the_relay_is_away_waits_for_the_relay():
    world = World(FakeTransport({A: [LATER], B: [LATER, OUT_OF_REACH]}, capacity=1))
    await world.sender.send(order(A), world.now)
    await world.sender.send(order(B, job=replace(JOB, id="other")), world.now)
    world.at += 301
    away = await world.sender.send(order(B, job=replace(JOB, id="other")), world.now)
    answer = await world.sender.send(order(A), world.now)
    assert away.until == answer.until == round((world.at + 30) * 1000), "or it would be looked at again and again until then"


async def test_retries_that_are_due_wait_for_their_turn():
    recipients = [f"r{n}@one.test" for n in range(4)]
    world = World(FakeTransport({one: [LATER] for one in recipients}))
    pace = Pace(per_minute=6)
    answer = await world.sender.send(order(*recipients, pace=pace), world.now)
    while world.transport.tries.total() < 4:
        assert answer.until is not None
        world.at = answer.until / 1000
        answer = await world.sender.send(order(*recipients, pace=pace), world.now)
    world.at += 1_000
    answer = await world.sender.send(order(*recipients, pace=pace), world.now)
    assert answer.until == round((world.at + 10) * 1000) and world.transport.tries.total() == 5


async def test_moments_that_were_missed_are_not_caught_up_with_all_at_once():
    recipients = [f"r{n}@one.test" for n in range(20)]
    world, pace = World(), Pace(per_minute=6)
    await world.sender.send(order(*recipients, pace=pace), world.now)
    world.at += 100
    await world.sender.send(order(*recipients, pace=pace), world.now)
    assert len(world.transport.taken) == 2


async def test_a_slow_domain_does_not_hold_up_the_others_behind_it():
    slow = [f"r{n}@one.test" for n in range(30)]
    world = World()
    answer = await world.sender.send(order(*slow, C, pace=Pace(per_domain=1)), world.now)
    assert [letter.recipient for letter in world.transport.taken] == [slow[0], C]
    assert answer.until == round((world.at + 60) * 1000)


async def test_a_relay_that_turns_us_away_is_counted_over_parkings():
    refused = Receipt(Result.RETRY, 421, "4.7.0 Too much", trouble=Trouble.CLOSING)
    recipients = [f"r{n}@one.test" for n in range(CLOSINGS)]
    world = World(FakeTransport({one: [refused] for one in recipients}, capacity=1))
    for n, one in enumerate(recipients[:-1]):  # parked and claimed again in between: two leases on
        await world.sender.send(order(one, job=replace(JOB, lease=1 + 2 * n)), world.now)
    with pytest.raises(Held, match=f"{CLOSINGS} times in a row"):
        await world.sender.send(order(recipients[-1], job=replace(JOB, lease=1 + 2 * CLOSINGS - 2)), world.now)


async def test_a_refused_sender_costs_nobody_a_message():
    refused = Receipt(Result.FAILED, 550, "5.1.8 Bad sender", trouble=Trouble.SENDER)
    world = World(FakeTransport({A: [refused]}, capacity=1))
    with pytest.raises(Held, match="refuses the sender"):
        await world.sender.send(order(A, B), world.now)
    world.at += 301
    answer = await world.sender.send(order(A, B, job=replace(JOB, lease=2)), world.now)
    assert {entry.state for entry in answer.entries.values()} == {State.SENT}, "sent once the relay accepts the sender"


async def test_a_message_that_cannot_be_written_fails_alone():
    world = World()

    def write(_: datetime) -> Letter:
        raise RowFlaw("The subject would be empty")

    broken = order(A, B)
    broken.parcels[A] = replace(broken.parcels[A], write=write)  # type: ignore[index]
    answer = await world.sender.send(broken, world.now)
    assert (answer.entries[A].state, answer.entries[B].state) == (State.FAILED, State.SENT)
    assert answer.entries[A].error == "The message could not be written: The subject would be empty."


async def test_a_message_that_somebody_else_has_armed_is_theirs():
    world = World()
    deliver = world.transport.deliver

    async def overtaken(letter: Letter, arm: Arm) -> Receipt:
        if letter.recipient == A:
            key = JOB.id, A
            world.ledger.rows[key] = replace(world.ledger.rows[key], state=State.ARMED, attempts=1)
        return await deliver(letter, arm)

    world.transport.deliver = overtaken  # type: ignore[method-assign]
    answer = await world.sender.send(order(A, B), world.now)
    assert answer.until is not None and [letter.recipient for letter in world.transport.taken] == [B]
    world.transport.deliver = deliver  # type: ignore[method-assign]
    assert (await world.sender.send(order(A, B), world.now)).entries[A].state is State.IN_DOUBT


async def test_what_keeps_every_message_from_being_written_is_the_jobs_failure_and_costs_nobody_the_message():
    world = World()

    def write(_: datetime) -> Letter:
        raise RuntimeError("the signing key is gone")

    broken = order(A, B)
    broken.parcels[A] = replace(broken.parcels[A], write=write)  # type: ignore[index]
    broken.parcels[B] = replace(broken.parcels[B], write=write)  # type: ignore[index]
    with pytest.raises(RuntimeError):
        await world.sender.send(broken, world.now)
    answer = await world.sender.send(order(A, B, job=replace(JOB, lease=2)), world.now)
    assert {entry.state for entry in answer.entries.values()} == {State.SENT}


async def test_a_batch_of_an_older_lease_spoils_nothing_that_is_known_of_the_job():
    world, pace = World(), Pace(per_minute=6)
    await world.sender.send(order(A, job=replace(JOB, lease=3), pace=pace), world.now)
    with pytest.raises(LeaseLost):
        await world.sender.send(order(B, pace=pace), world.now)
    answer = await world.sender.send(order(C, job=replace(JOB, lease=5), pace=pace), world.now)
    assert answer.until == round((world.at + 10) * 1000) and len(world.transport.taken) == 1
