"""The ledger of messages: one suite for the one in the database and the one in memory."""

from __future__ import annotations

import asyncio

import pytest

from engine.durable.database import Database
from engine.durable.delivery_rules import CUT_OFF, MADE_UP
from engine.durable.ledger import Entry, Overtaken, Standing, State, Suppressed
from engine.errors import LeaseLost
from tests.conftest import BOTH
from tests.durable.ledger_world import MemoryWorld, StoredWorld, World, armed, entries, fresh, outcome

A, B, C = "ann@x.org", "bob@x.org", "cas@y.org"


@pytest.fixture(params=["memory", *BOTH])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(backend: str, request: pytest.FixtureRequest) -> World:
    if backend == "memory":
        return MemoryWorld()
    database: Database = request.getfixturevalue("database")
    return StoredWorld(database, request.getfixturevalue("vault"))


async def state(world: World, recipient: str = A) -> State:
    """What the ledger says, without changing it."""
    return (await entries(world, recipient, in_flight=[recipient]))[recipient].state


async def test_a_message_goes_from_queued_to_sent(world: World) -> None:
    assert await entries(world, A) == {A: Entry(A, State.QUEUED, message_id=f"<{A}>")}
    attempt = await armed(world, A)
    assert attempt == 1 and await state(world) is State.ARMED
    assert await world.ledger.settle(world.job, outcome(A, 1, State.SENT, 77, smtp_code=250, smtp_reply="2.0.0 ok"))
    sent = Entry(A, State.SENT, 1, None, f"<{A}>", 250, "2.0.0 ok", None, 77)
    assert await entries(world, A) == {A: sent}
    world.restart()
    assert await entries(world, A) == {A: sent}
    assert await world.ledger.last_sent(world.job) == 77


async def test_a_settled_message_is_never_armed_again(world: World) -> None:
    for number, end in enumerate((State.SENT, State.FAILED, State.IN_DOUBT)):
        name = f"p{number}@x.org"
        await entries(world, name)
        attempt = await armed(world, name)
        assert await world.ledger.settle(world.job, outcome(name, attempt, end))
        with pytest.raises(LookupError):
            await world.ledger.intend(world.job, name)
        for again in (attempt, attempt + 1):
            with pytest.raises(Overtaken):
                await world.ledger.arm(world.job, name, again)
        assert await state(world, name) is end


async def test_what_was_armed_when_the_engine_ended_is_in_doubt_for_good(world: World) -> None:
    await entries(world, A, B)
    await armed(world, A)
    await world.ledger.intend(world.job, B)
    world.restart()
    for _ in range(2):
        found = await entries(world, A, B)
        assert (found[A].state, found[A].error, found[A].attempts) == (State.IN_DOUBT, CUT_OFF, 1)
        assert found[B].state is State.QUEUED
    with pytest.raises(Overtaken):
        await world.ledger.arm(world.job, A, 2)


async def test_a_transport_that_replaces_gets_an_armed_message_again(world: World) -> None:
    await entries(world, A)
    await armed(world, A)
    world.restart()
    found = await entries(world, A, replay=True)
    assert (found[A].state, found[A].attempts) == (State.QUEUED, 1)
    assert await armed(world, A) == 2


async def test_what_is_in_flight_here_is_left_alone(world: World) -> None:
    await entries(world, A, B)
    attempt = await armed(world, A)
    await world.ledger.intend(world.job, B)
    found = await entries(world, A, B, in_flight=[A, B])
    assert found[A].state is State.ARMED
    assert await world.ledger.settle(world.job, outcome(A, attempt, State.SENT))
    await world.ledger.arm(world.job, B, 1)
    assert await world.ledger.intend(world.job, B) == 2


async def test_a_retry_waits_until_it_is_due_and_counts_on(world: World) -> None:
    await entries(world, A)
    attempt = await armed(world, A)
    later = outcome(A, attempt, State.RETRY, due_at=5_000, smtp_code=450, smtp_reply="4.2.1 later", error="busy")
    assert await world.ledger.settle(world.job, later)
    world.restart()
    assert (await entries(world, A))[A] == Entry(A, State.RETRY, 1, 5_000, f"<{A}>", 450, "4.2.1 later", "busy")
    assert await armed(world, A) == 2
    assert await world.ledger.settle(world.job, outcome(A, 2, State.SENT))
    assert (await entries(world, A))[A].error is None


async def test_a_refusal_before_the_dot_needs_no_arming(world: World) -> None:
    await entries(world, A, B)
    assert await world.ledger.intend(world.job, A) == 1
    assert await world.ledger.settle(world.job, outcome(A, 1, State.FAILED, smtp_code=550, error="no such user", hard=True))
    found = (await entries(world, A))[A]
    assert (found.state, found.attempts, found.smtp_code) == (State.FAILED, 1, 550)


async def test_an_attempt_that_never_began_does_not_count(world: World) -> None:
    await entries(world, A)
    for _ in range(2):
        attempt = await armed(world, A)
        assert attempt == 1
        assert await world.ledger.settle(world.job, outcome(A, attempt, State.QUEUED))
        assert not await world.ledger.settle(world.job, outcome(A, attempt, State.QUEUED))
        assert (await entries(world, A, in_flight=[A]))[A] == Entry(A, State.QUEUED, 0, None, f"<{A}>")


async def test_a_settle_after_a_later_attempt_changes_nothing(world: World) -> None:
    await entries(world, A)
    first = await armed(world, A)
    old = world.ledger
    world.restart()
    await entries(world, A, replay=True)
    second = await armed(world, A)
    assert second > first
    assert not await old.settle(world.job, outcome(A, first, State.SENT))
    assert await state(world) is State.ARMED
    assert await world.ledger.settle(world.job, outcome(A, second, State.SENT))


async def test_whoever_lost_the_job_writes_nothing_but_facts(world: World) -> None:
    await entries(world, A, B, C)
    one, two = await armed(world, A), await world.ledger.intend(world.job, B)
    old, was = world.ledger, world.job
    world.job = world.lose()
    with pytest.raises(LeaseLost) as refused:
        await old.arm(was, B, two)
    assert type(refused.value) is LeaseLost
    with pytest.raises(LeaseLost):
        await old.open(was, [fresh("new@x.org")])
    assert not await old.settle(was, outcome(B, two, State.RETRY, due_at=9))
    world.restart()
    found = await entries(world, A, B, C)
    assert [found[name].state for name in (A, B, C)] == [State.IN_DOUBT, State.QUEUED, State.QUEUED]
    assert await old.settle(was, outcome(A, one, State.SENT, 5))
    world.job = world.taken_up_anew()
    assert (await entries(world, A))[A].state is State.SENT
    assert not await old.settle(was, outcome(A, one, State.FAILED))


async def test_a_late_retry_leaves_a_message_in_doubt(world: World) -> None:
    """Its batch may be over, with a row that says so; nobody would ever retry."""
    await entries(world, A)
    attempt = await armed(world, A)
    old, was = world.ledger, world.job
    world.job = world.lose()
    world.restart()
    await entries(world, A)
    assert not await old.settle(was, outcome(A, attempt, State.RETRY, due_at=9))
    assert await state(world) is State.IN_DOUBT


async def test_two_who_believe_to_hold_a_message_arm_it_once(world: World) -> None:
    await entries(world, A)
    one, first = world.ledger, await world.ledger.intend(world.job, A)
    world.restart()
    await entries(world, A)
    second = await armed(world, A)
    assert first == second, "neither knows of the other"
    with pytest.raises(Overtaken):
        await one.arm(world.job, A, first)
    assert not await one.settle(world.job, outcome(A, first, State.QUEUED)), "it is not this one's to take back"
    assert await world.ledger.settle(world.job, outcome(A, second, State.SENT))


async def test_the_suppressed_get_nothing(world: World) -> None:
    world.suppress(A)
    world.make_up(B)
    world.make_up("c.as@y.org")
    batch = [fresh(A), fresh(B), fresh(C, address="c.as@y.org"), fresh("dan@x.org", skipped="Not verified"), fresh("eve@x.org")]
    found = await world.ledger.open(world.job, batch)
    told = {name: entry.error for name, entry in found.items() if entry.state is State.SUPPRESSED}
    assert told == {A: "On the suppression list: asked us", B: MADE_UP, C: MADE_UP, "dan@x.org": "Not verified"}
    assert found["eve@x.org"].state is State.QUEUED
    with pytest.raises(LookupError):
        await world.ledger.intend(world.job, A)


async def test_who_is_suppressed_while_a_retry_waits_gets_nothing(world: World) -> None:
    await entries(world, A)
    attempt = await armed(world, A)
    await world.ledger.settle(world.job, outcome(A, attempt, State.RETRY, due_at=5))
    world.suppress(A)
    assert (await entries(world, A))[A].state is State.SUPPRESSED


async def test_who_is_suppressed_before_the_dot_gets_nothing(world: World) -> None:
    await entries(world, A)
    attempt = await world.ledger.intend(world.job, A)
    world.suppress(A, "one click")
    for _ in range(2):
        with pytest.raises(Suppressed, match=r"^On the suppression list: one click$"):
            await world.ledger.arm(world.job, A, attempt)
    found = (await entries(world, A))[A]
    assert (found.state, found.error) == (State.SUPPRESSED, "On the suppression list: one click")


async def test_what_was_sent_stays_sent_whoever_is_suppressed_later(world: World) -> None:
    await entries(world, A, B)
    await world.ledger.settle(world.job, outcome(A, await armed(world, A), State.SENT))
    attempt = await armed(world, B)
    world.suppress(A)
    world.suppress(B)
    assert await world.ledger.settle(world.job, outcome(B, attempt, State.SENT))
    assert {entry.state for entry in (await entries(world, A, B)).values()} == {State.SENT}


async def test_a_hard_bounce_suppresses_at_once(world: World) -> None:
    await entries(world, A, B)
    world.suppress(B, "first reason")
    for name in (A, B):
        attempt = 1
        refused = outcome(name, attempt, State.FAILED, hard=True, suppress="Hard bounce: 5.1.1")
        assert await world.ledger.intend(world.job, name) == attempt
        assert await world.ledger.settle(world.job, refused)
    assert world.listed() == {A: "Hard bounce: 5.1.1", B: "first reason"}


async def test_the_standing_counts_what_is_settled(world: World) -> None:
    names = [f"p{number}@x.org" for number in range(5)]
    await entries(world, *names)
    ends = [State.SENT, State.SENT, State.FAILED, State.FAILED, State.IN_DOUBT]
    for number, (name, end) in enumerate(zip(names, ends, strict=True)):
        attempt = await armed(world, name)
        await world.ledger.settle(world.job, outcome(name, attempt, end, at=1_000 + number, hard=number == 3))
    assert await world.ledger.standing(world.job) == Standing(sent=2, failed=2, hard=1)
    assert await world.ledger.last_sent(world.job) == 1_001


async def test_nothing_is_sent_yet(world: World) -> None:
    await entries(world, A)
    assert await world.ledger.standing(world.job) == Standing(0, 0, 0) and await world.ledger.last_sent(world.job) is None
    assert await world.ledger.open(world.job, []) == {}
    with pytest.raises(LookupError):
        await world.ledger.intend(world.job, "nobody@x.org")


async def test_many_connections_at_once(world: World) -> None:
    names = [f"p{number}@x.org" for number in range(60)]
    await entries(world, *names)
    left = iter(names)

    async def connection() -> None:
        for name in left:
            attempt = await armed(world, name)
            assert await world.ledger.settle(world.job, outcome(name, attempt, State.SENT))

    await asyncio.gather(*[connection() for _ in range(8)])
    assert {entry.state for entry in (await entries(world, *names)).values()} == {State.SENT}
