"""How the stored ledger writes: together, in order, one job's trouble never another's, and never more armed than connections."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from engine.durable import control, deliveries, stored_ledger, suppressions
from engine.durable.clock import now_ms
from engine.durable.contract import JobRef
from engine.durable.database import Database
from engine.durable.delivery_rules import Arming, Call, Intent, Opening
from engine.durable.ledger import FINAL, Standing, State
from engine.durable.queries import get
from engine.durable.sending_tables import deliveries as rows
from engine.durable.stored_ledger import StoredLedger
from engine.durable.vault import Vault
from engine.errors import LeaseLost
from tests.durable.ledger_world import fresh, outcome
from tests.durable.store import age, claim_one, running_job

Groups = list[list[Call]]


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> Groups:
    """The groups that were written."""
    found: Groups = []
    real = deliveries.write

    def write(database: Database, calls: Sequence[Call]) -> list[Any]:
        found.append(list(calls))
        return real(database, calls)

    monkeypatch.setattr(deliveries, "write", write)
    return found


@pytest.fixture
def job(database: Database, vault: Vault) -> JobRef:
    return ref(database, vault)


def ref(database: Database, vault: Vault) -> JobRef:
    made = running_job(database, vault, count=5)
    return JobRef(made.id, lease=made.lease)


def ledger(database: Database) -> StoredLedger:
    return StoredLedger(lambda: database)


async def opened(ledger: StoredLedger, job: JobRef, count: int) -> list[str]:
    names = [f"p{number}@x.org" for number in range(count)]
    await ledger.open(job, [fresh(name, number) for number, name in enumerate(names)])
    return names


def stored(database: Database, job_id: str) -> dict[str, str]:
    with database.read() as connection:
        query = select(rows.c.recipient, rows.c.state).where(rows.c.job_id == job_id).order_by(rows.c.recipient)
        return {row.recipient: row.state for row in connection.execute(query)}


async def test_all_that_waits_shares_a_transaction(database: Database, job: JobRef, groups: Groups) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 10)
    for name in names:
        await mine.intend(job, name)
    await asyncio.gather(*[mine.arm(job, name, 1) for name in names])
    assert [len(group) for group in groups] == [1, 10], "an arming says what the intent before it does"
    assert {type(call) for call in groups[1]} == {Arming}
    assert set(stored(database, job.id).values()) == {State.ARMED}


async def test_an_intent_goes_along_and_is_not_waited_for(database: Database, job: JobRef, groups: Groups) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 3)
    await mine.intend(job, names[0])
    await mine.intend(job, names[1])
    assert len(groups) == 1
    await mine.arm(job, names[1], 1)
    assert [type(call) for call in groups[1]] == [Intent, Arming]
    assert list(stored(database, job.id).values()) == [State.INTENT, State.ARMED, State.QUEUED]
    await mine.intend(job, names[2])
    await mine.close()
    assert stored(database, job.id)[names[2]] == State.INTENT


async def test_transactions_stay_short(database: Database, job: JobRef, groups: Groups, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_ledger, "MAX_RECIPIENTS", 10)
    mine = ledger(database)
    many = [[fresh(f"p{number}@{domain}.org") for number in range(8)] for domain in "abc"]
    await asyncio.gather(*[mine.open(job, batch) for batch in many])
    assert [sum(len(call.recipients) for call in group if isinstance(call, Opening)) for group in groups] == [8, 8, 8]
    found = await mine.open(job, [fresh(f"p{number}@d.org") for number in range(25)])
    assert len(found) == 25 and len(groups) == 6


async def test_a_lost_lease_is_its_own_trouble(database: Database, vault: Vault, groups: Groups) -> None:
    mine = ledger(database)
    kept, lost = ref(database, vault), ref(database, vault)
    names = await opened(mine, kept, 2)
    await opened(mine, lost, 2)
    for job in (kept, lost):
        await mine.intend(job, names[0])
    armed = await mine.intend(lost, names[1])
    await mine.arm(lost, names[1], armed)
    age(database, lost.id, lease=lost.lease + 1)
    told = await asyncio.gather(
        mine.arm(lost, names[0], 1),
        mine.arm(kept, names[0], 1),
        mine.open(lost, [fresh("new@x.org")]),
        mine.settle(lost, outcome(names[1], armed, State.SENT)),
        return_exceptions=True,
    )
    assert [type(one) for one in told] == [LeaseLost, type(None), LeaseLost, bool] and told[3] is True
    assert len(groups[-1]) == 4, "all in one transaction"
    assert stored(database, kept.id)[names[0]] == State.ARMED
    assert stored(database, lost.id) == {names[0]: State.INTENT, names[1]: State.SENT}


@pytest.mark.parametrize("change", [control.pause, control.cancel])
async def test_a_job_that_does_not_run_arms_nothing(
    database: Database, job: JobRef, change: Callable[[Database, str], None]
) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 1)
    await mine.intend(job, names[0])
    change(database, job.id)
    with pytest.raises(LeaseLost):
        await mine.arm(job, names[0], 1)


async def test_a_job_that_was_deleted_meanwhile_is_lost(database: Database, job: JobRef) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 1)
    await mine.intend(job, names[0])
    await mine.arm(job, names[0], 1)
    control.cancel(database, job.id)
    control.remove(database, job.id)
    assert not await mine.settle(job, outcome(names[0], 1, State.SENT))
    with pytest.raises(LeaseLost):
        await mine.open(job, [fresh("new@x.org")])


async def test_what_the_database_refuses_fails_alone(database: Database, vault: Vault, groups: Groups) -> None:
    mine = ledger(database)
    good, bad = ref(database, vault), ref(database, vault)
    names = await opened(mine, good, 2)
    await opened(mine, bad, 2)
    for job in (good, bad):
        for name in names:
            await mine.intend(job, name)
            await mine.arm(job, name, 1)
    told = await asyncio.gather(
        mine.settle(good, outcome(names[0], 1, State.SENT)),
        mine.settle(bad, outcome(names[0], 1, State.RETRY)),  # without a moment: the table refuses it
        mine.settle(bad, outcome(names[1], 1, State.SENT)),
        mine.settle(good, outcome(names[1], 1, State.SENT)),
        return_exceptions=True,
    )
    assert isinstance(told[1], IntegrityError) and [told[0], told[2], told[3]] == [True] * 3
    assert stored(database, bad.id) == {names[0]: State.ARMED, names[1]: State.SENT}
    assert await mine.settle(bad, outcome(names[0], 1, State.RETRY, due_at=5)), "it is told again, as it should be"


async def test_a_reply_that_no_database_takes_is_kept_as_far_as_it_goes(database: Database, job: JobRef) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 1)
    await mine.intend(job, names[0])
    await mine.arm(job, names[0], 1)
    assert await mine.settle(job, outcome(names[0], 1, State.SENT, smtp_reply="2.0.0\0ok \udcff", error=None))
    found = (await mine.open(job, [fresh(names[0])]))[names[0]]
    assert found.smtp_reply == "2.0.0\N{REPLACEMENT CHARACTER}ok ?"


class Away:
    """A database that is away for some transactions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        real = deliveries.write

        def write(database: Database, calls: Sequence[Call]) -> list[Any]:
            if self.left:
                self.left -= 1
                raise OperationalError("BEGIN", {}, OSError("database is locked"))
            return real(database, calls)

        monkeypatch.setattr(deliveries, "write", write)
        monkeypatch.setattr(stored_ledger, "_BACKOFF_SECONDS", (0.0,))


async def test_outcomes_wait_until_the_database_is_back(database: Database, job: JobRef, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 2)
    await mine.intend(job, names[0])
    await mine.arm(job, names[0], 1)
    await mine.intend(job, names[1])
    away = Away(monkeypatch)
    away.left = 9
    told = await asyncio.gather(
        mine.settle(job, outcome(names[0], 1, State.SENT)), mine.arm(job, names[1], 1), return_exceptions=True
    )
    assert told[0] is True and isinstance(told[1], OperationalError), "nobody holds a connection to a server for that long"
    assert stored(database, job.id)[names[0]] == State.SENT and stored(database, job.id)[names[1]] != State.ARMED


async def test_a_short_absence_is_nobodys_trouble(database: Database, job: JobRef, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ledger(database)
    away = Away(monkeypatch)
    away.left = stored_ledger.TRIES - 1
    assert len(await opened(mine, job, 3)) == 3
    away.left = 99
    pending = asyncio.ensure_future(mine.open(job, [fresh("new@x.org")]))
    await asyncio.sleep(0)
    await mine.close()
    with pytest.raises(OperationalError):
        await pending


async def test_an_arming_that_nobody_waits_for_any_more_is_not_written(database: Database, job: JobRef) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 2)
    await mine.intend(job, names[0])
    given_up = asyncio.ensure_future(mine.arm(job, names[0], 1))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await mine.settle(job, outcome(names[0], 1, State.QUEUED))
    assert stored(database, job.id)[names[0]] == State.QUEUED


async def test_a_hard_bounce_is_part_of_the_lists_history(database: Database, job: JobRef) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 1)
    await mine.intend(job, names[0])
    await mine.settle(job, outcome(names[0], 1, State.FAILED, hard=True, suppress="Hard bounce: 5.1.1"))
    (change,) = suppressions.history(database, names[0])
    assert (change.action, change.reason, change.source, change.job_id) == ("added", "Hard bounce: 5.1.1", "bounce", job.id)


async def test_a_message_is_progress_and_an_attempt_is_none(database: Database, job: JobRef) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 2)
    age(database, job.id, crashes=4)
    again = ledger(database)
    await opened(again, job, 2)
    await again.intend(job, names[0])
    await again.open(job, [])
    assert get(database, job.id).crashes == 4, "what kills its engine at every attempt must come to an end"
    await again.arm(job, names[0], 1)
    assert get(database, job.id).crashes == 0
    age(database, job.id, crashes=4)
    await again.settle(job, outcome(names[0], 1, State.SENT))
    assert get(database, job.id).crashes == 0


async def test_the_standing_begins_anew_when_a_person_resumes(database: Database, job: JobRef) -> None:
    mine = ledger(database)
    names = await opened(mine, job, 2)
    await mine.intend(job, names[0])
    assert await mine.settle(job, outcome(names[0], 1, State.FAILED, at=1_000, hard=True))
    assert await mine.standing(job) == Standing(0, 1, 1)
    control.pause(database, job.id)
    control.resume(database, job.id)
    job = JobRef(job.id, lease=claim_one(database).lease)
    assert await mine.standing(job) == Standing(0, 0, 0)
    with database.read() as connection:
        now = connection.execute(select(now_ms())).scalar_one()
    await mine.open(job, [fresh(names[1])])
    await mine.intend(job, names[1])
    await mine.settle(job, outcome(names[1], 1, State.SENT, at=now))
    assert await mine.standing(job) == Standing(1, 0, 0)


class Relay:
    """A server that counts what arrives; it takes a message at its dot. `died`: the engine's end, at any step, by chance."""

    def __init__(self, luck: random.Random, deadly: float = 0.0) -> None:
        self.arrived: Counter[str] = Counter()
        self.died = asyncio.Event()
        self.luck, self.deadly = luck, deadly

    async def step(self) -> None:
        """Something takes its time."""
        if self.luck.random() < self.deadly:
            self.died.set()
        await asyncio.sleep(0)

    async def dot(self, name: str) -> None:
        """The message is handed over."""
        self.arrived[name] += 1
        await self.step()


async def send(ledger: StoredLedger, job: JobRef, names: Sequence[str], relay: Relay, connections: int) -> None:
    """An engine's part of the work: some connections hand messages over, as pipelined as they may be."""
    entries = await ledger.open(job, [fresh(name, number) for number, name in enumerate(names)])
    due = iter([name for name in names if entries[name].state in (State.QUEUED, State.RETRY)])

    async def connection() -> None:
        settling: asyncio.Future[bool] | None = None
        for name in due:
            attempt = await ledger.intend(job, name)
            await relay.step()
            if relay.luck.random() < 0.1:  # refused before the dot
                await ledger.settle(job, outcome(name, attempt, State.RETRY, due_at=1))
                continue
            await ledger.arm(job, name, attempt)
            await relay.step()
            await relay.dot(name)
            if settling:
                await settling
            settling = asyncio.ensure_future(ledger.settle(job, outcome(name, attempt, State.SENT)))
            await relay.step()
        if settling:
            await settling

    await asyncio.gather(*[connection() for _ in range(connections)])


async def armed_rows(database: Database, job_id: str, most: list[int], enough: asyncio.Event) -> None:
    """Look from outside until it is enough: how many messages are armed at most."""
    query = select(func.count()).where(rows.c.job_id == job_id, rows.c.state == State.ARMED)

    def look() -> int:
        with database.read() as connection:
            return connection.execute(query).scalar_one()

    while not enough.is_set():
        most.append(await asyncio.to_thread(look))


async def test_never_more_messages_are_armed_than_there_are_connections(database: Database, job: JobRef) -> None:
    relay, most, enough = Relay(random.Random(1)), [0], asyncio.Event()
    watching = asyncio.create_task(armed_rows(database, job.id, most, enough))
    names = [f"p{number}@x.org" for number in range(300)]
    mine = ledger(database)
    while set(stored(database, job.id).values()) != {State.SENT}:
        await send(mine, job, names, relay, 6)
    enough.set()
    await watching
    assert 0 < max(most) <= 6
    assert set(relay.arrived.values()) == {1} and len(relay.arrived) == 300


async def killed(ledger: StoredLedger, work: asyncio.Task[None]) -> None:
    """End an engine's work as its death would: what it has not begun to write is never written."""
    ledger._queue.clear()
    writing = ledger._writer
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    ledger._queue.clear()
    if writing:
        await asyncio.wait({writing})


@pytest.mark.parametrize("seed", range(3))
async def test_engines_that_die_at_any_moment_send_nothing_twice_and_lose_nothing(
    database: Database, job: JobRef, seed: int
) -> None:
    relay, connections, deaths = Relay(random.Random(seed), deadly=0.03), 4, 0
    names = [f"p{number}@x.org" for number in range(60)]
    while not stored(database, job.id) or set(stored(database, job.id).values()) - FINAL:
        relay.died.clear()
        mine = ledger(database)
        work, death = asyncio.create_task(send(mine, job, names, relay, connections)), asyncio.create_task(relay.died.wait())
        await asyncio.wait({work, death}, return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        if not work.done():
            deaths += 1
        elif type(work.exception()) is not LeaseLost:  # the job is taken up anew when a dead engine's last answer comes late
            work.result()
        await killed(mine, work)
        age(database, job.id, lease=job.lease + 1)
        job = JobRef(job.id, lease=job.lease + 1)
    doubtful = {name for name, state in stored(database, job.id).items() if state == State.IN_DOUBT}
    assert deaths and doubtful, "nothing was tested"
    assert max(relay.arrived.values()) == 1, "sent twice"
    assert {name for name in names if name not in relay.arrived} <= doubtful, "lost"
    assert len(doubtful) <= connections * deaths
