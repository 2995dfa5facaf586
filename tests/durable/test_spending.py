"""Caps on what a job spends: they hold however many ask at once, and every implementation counts the same."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.durable import spending
from engine.durable.control import cancel, remove
from engine.durable.database import Database
from engine.durable.spending import Caps, FakeSpending, Spending, Spent, StoredSpending
from engine.durable.submit import Request, submit
from engine.durable.vault import Vault
from tests.toys import COUNT

CAPS = Caps(requests=3, tokens=100)


def job(database: Database, vault: Vault) -> str:
    return submit(database, vault, Request(COUNT, {"count": 3})).job_id


@pytest.fixture(params=["stored", "fake"])
def door(request: pytest.FixtureRequest, database: Database) -> Spending:
    return StoredSpending(lambda: database) if request.param == "stored" else FakeSpending()


async def test_requests_are_reserved_until_the_cap(door: Spending, database: Database, vault: Vault):
    one, other = job(database, vault), job(database, vault)
    assert [await door.reserve(one, CAPS) for _ in range(3)] == [None, None, None]
    await door.add(one, 20, 5)
    await door.add(one, 20, 5)
    assert await door.reserve(one, CAPS) == Spent(3, 40, 10)
    assert await door.reserve(one, Caps(4, 100)) is None, "a larger cap leaves room again"
    assert await door.reserve(other, CAPS) is None, "each job has its own"


async def test_tokens_are_a_cap_of_their_own(door: Spending, database: Database, vault: Vault):
    one = job(database, vault)
    assert await door.reserve(one, CAPS) is None
    await door.add(one, 99, 0)
    assert await door.reserve(one, CAPS) is None, "one more may begin below the cap"
    await door.add(one, 0, 1)
    assert await door.reserve(one, CAPS) == Spent(2, 99, 1)


def test_many_at_once_never_exceed_the_cap(database: Database, vault: Vault):
    one = job(database, vault)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: spending.reserve(database, one, Caps(10, 1_000)), range(40)))
    assert found.count(None) == 10
    assert spending.spent(database, one).requests == 10


def test_a_job_that_is_gone_gets_nothing_and_leaves_nothing(database: Database, vault: Vault):
    one = job(database, vault)
    assert spending.reserve(database, one, CAPS) is None
    cancel(database, one)
    remove(database, one)
    assert spending.spent(database, one) == Spent()
    assert spending.reserve(database, one, CAPS) == Spent()
    spending.add(database, one, 1, 1)
    assert spending.spent(database, one) == Spent()


def test_it_opens_at_first_use_and_closes():
    opened: list[Database] = []

    async def use() -> None:
        door = StoredSpending(lambda: opened[0])
        await door.close()

    asyncio.run(use())
    assert not opened
