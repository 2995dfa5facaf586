"""The verdict cache as batches use it: grouped, in short transactions, and complete when `save` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from engine.durable import verdict_cache, verdicts
from engine.durable.database import Database
from engine.durable.verdict_cache import StoredVerdicts
from engine.durable.verdicts import Fresh


def fresh(count: int, domain: str) -> list[Fresh]:
    told = ("valid", "mailbox_exists", "mailbox", 95, {"mx": "mx.test"}, 1000, None, "smtp")
    return [Fresh(f"p{number}@{domain}", *told) for number in range(count)]


async def test_saves_share_transactions_and_none_is_long(database: Database, monkeypatch: pytest.MonkeyPatch):
    sizes: list[int] = []
    real = verdicts.save

    def save(database: Database, rows: Sequence[Fresh], **more: Any) -> None:
        sizes.append(len(rows))
        real(database, rows, **more)

    monkeypatch.setattr(verdicts, "save", save)
    monkeypatch.setattr(verdict_cache, "ROWS", 10)
    cache = StoredVerdicts(lambda: database)
    lists = [fresh(12, "a.test"), fresh(3, "b.test"), fresh(9, "c.test")]
    await asyncio.gather(*[cache.save(one) for one in lists])
    assert sizes == [10, 10, 4]
    wanted = [one.address for rows in lists for one in rows]
    assert set(await cache.find(wanted)) == set(wanted)


async def test_a_failed_save_reaches_everyone_who_waits_for_it(database: Database, monkeypatch: pytest.MonkeyPatch):
    def save(*_: Any, **__: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(verdicts, "save", save)
    cache = StoredVerdicts(lambda: database)
    told = await asyncio.gather(cache.save(fresh(1, "a.test")), cache.save(fresh(1, "b.test")), return_exceptions=True)
    assert [str(error) for error in told] == ["the disk is gone"] * 2


async def test_a_claim_ends_with_the_answer(database: Database):
    mine, theirs = StoredVerdicts(lambda: database), StoredVerdicts(lambda: database)
    theirs._owner = f"{mine._owner}/other"
    now = 4_000_000_000.0
    assert await mine.claim(["p0@a.test"], now) == {"p0@a.test"}
    assert await theirs.claim(["p0@a.test", "p1@a.test"], now) == {"p1@a.test"}
    await mine.save(fresh(1, "a.test"))
    assert await theirs.claim(["p0@a.test"], now) == {"p0@a.test"}
