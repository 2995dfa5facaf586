"""The database underneath: no update is lost, a snapshot stays still, a commit wakes the watchers of other processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from engine.durable import control
from engine.durable.clock import now_ms
from engine.durable.database import Database, sqlite
from engine.durable.queries import get
from engine.durable.tables import jobs
from engine.durable.vault import Vault
from engine.durable.watcher import Watcher
from tests.durable.store import age, new_job

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


def test_six_hundred_read_modify_writes_lose_none(database: Database, vault: Vault) -> None:
    job_id = new_job(database, vault)

    def add_one() -> None:
        def work(connection: object) -> None:
            found = select(jobs.c.revision).where(jobs.c.id == job_id).with_for_update()
            value = connection.execute(found).scalar_one()  # type: ignore[attr-defined]
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(revision=value + 1))  # type: ignore[attr-defined]

        database.transact(work)

    with ThreadPoolExecutor(6) as threads:
        for done in [threads.submit(add_one) for _ in range(600)]:
            done.result()
    assert get(database, job_id).revision == 600


def test_a_snapshot_stays_still(database: Database, vault: Vault) -> None:
    job_id = new_job(database, vault)
    count = select(jobs.c.crashes).where(jobs.c.id == job_id)
    with database.read() as connection:
        assert connection.execute(count).scalar() == 0
        age(database, job_id, crashes=2)
        assert connection.execute(count).scalar() == 0
    assert get(database, job_id).crashes == 2


def test_a_reader_cannot_keep_a_writer_waiting_or_write_itself(database: Database, vault: Vault) -> None:
    job_id = new_job(database, vault)
    with database.read() as connection:
        connection.execute(select(jobs.c.id)).all()
        control.cancel(database, job_id)
    with database.read() as connection:
        assert connection.execute(select(jobs.c.status)).scalar() == "cancelled"


def test_an_error_in_a_transaction_takes_everything_back(database: Database, vault: Vault) -> None:
    job_id = new_job(database, vault)

    def work(connection: object) -> None:
        connection.execute(update(jobs).values(crashes=3))  # type: ignore[attr-defined]
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        database.transact(work)
    assert get(database, job_id).crashes == 0


def test_the_clock_of_the_database_counts_milliseconds(database: Database) -> None:
    import time

    before = time.time() * 1000
    with database.read() as connection:
        now = connection.execute(select(now_ms())).scalar_one()
    assert before - 2 <= now <= time.time() * 1000 + 2


def test_sqlite_is_set_up_for_power_cuts(sqlite_database: Database) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    with sqlite_database.unfenced() as connection:
        connection.exec_driver_sql("SELECT 1")
    with sqlite_database.read() as connection:  # also after the pool has had the connection back
        assert {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted
        assert connection.connection.dbapi_connection is not None
        assert connection.connection.dbapi_connection.isolation_level is None


def test_the_version_is_named_and_an_old_sqlite_warned_of(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert database.version.split()[0] in ("SQLite", "PostgreSQL") and database.version.split()[1][0].isdigit()
    assert database.is_sqlite or database.warning is None
    if database.is_sqlite:
        monkeypatch.setattr(sqlite, "sqlite_version_info", (3, 40, 1))
        assert "pysqlite3" in (database.warning or "")


def test_errors_do_not_show_parameters(database: Database, vault: Vault) -> None:
    from sqlalchemy.exc import IntegrityError

    new_job(database, vault, idempotency_key="a-private-key")
    other = new_job(database, vault)
    with pytest.raises(IntegrityError) as caught:
        age(database, other, idempotency_key="a-private-key", error_message="a message")
    assert "a message" not in str(caught.value)


class TestWatcher:
    async def test_a_commit_of_another_process_wakes_it(self, database: Database, database_url: str, vault: Vault) -> None:
        job_id = new_job(database, vault)
        code = (
            "import sys; from engine.durable.database import Database; from engine.durable.control import cancel;"
            "input(); cancel(Database(sys.argv[1]), sys.argv[2])"
        )
        command = [sys.executable, "-c", code, database_url, job_id]
        async with watching(database) as watcher:
            other = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=subprocess.PIPE)
            waiter = asyncio.create_task(watcher.wait(PATIENCE))
            await other.communicate(b"go\n")
            assert other.returncode == 0
            async with asyncio.timeout(PATIENCE / 2):
                await waiter
        assert get(database, job_id).status == "cancelled"

    async def test_every_waiter_wakes(self, database: Database, vault: Vault) -> None:
        async with watching(database) as watcher:
            waiters = [asyncio.create_task(watcher.wait(PATIENCE)) for _ in range(50)]
            await asyncio.sleep(0)
            await asyncio.to_thread(new_job, database, vault)
            async with asyncio.timeout(PATIENCE / 2):
                await asyncio.gather(*waiters)

    async def test_without_a_commit_it_comes_back_after_the_fallback(self, database: Database) -> None:
        await Watcher(database).wait(timeout=0.01)

    async def test_it_survives_an_error_of_the_database(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = database.raw
        failures = iter([OSError("disk I/O error")])

        def flaky() -> object:
            for error in failures:
                raise error
            return honest()

        monkeypatch.setattr(database, "raw", flaky)
        monkeypatch.setattr("engine.durable.watcher.FALLBACK_SECONDS", 0.01)
        async with watching(database) as watcher:
            waiter = asyncio.create_task(watcher.wait(PATIENCE))
            await asyncio.sleep(0)
            await asyncio.to_thread(new_job, database, vault)
            async with asyncio.timeout(PATIENCE / 2):
                await waiter


@asynccontextmanager
async def watching(database: Database) -> AsyncIterator[Watcher]:
    """A watcher at work, which has said what it always says when it begins."""
    watcher = Watcher(database)
    begun = asyncio.create_task(watcher.wait(PATIENCE))
    await asyncio.sleep(0)
    await watcher.start()
    async with asyncio.timeout(PATIENCE / 2):
        await begun
    try:
        yield watcher
    finally:
        await watcher.stop()
