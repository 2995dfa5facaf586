"""An engine at work: prompt, fair and patient."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from engine.durable import control, engines, service
from engine.durable.chunks import spans
from engine.durable.clock import to_ms
from engine.durable.contract import Batch, Done, Snooze, Tools
from engine.durable.database import Database
from engine.durable.queries import get
from engine.durable.vault import Vault
from engine.durable.watcher import Watcher
from tests.durable.running import ended, engine, until, until_job
from tests.durable.store import age, committed, new_job, output, reasons
from tests.toys import COUNT, LOOK, CountParams, Gate, counting, numbers, snooze_once

pytestmark = pytest.mark.usefixtures("no_pauses")


class TestWork:
    async def test_a_job_runs_to_its_end(self, database: Database, vault: Vault) -> None:
        async with engine(database, vault, COUNT):
            job_id = new_job(database, vault, count=20, batch=3)
            [job] = await ended(database, job_id)
        assert (job.status, job.processed_items, job.progress, job.engine_id) == ("completed", 20, 100.0, None)
        assert output(database, job_id) == list(range(20))
        assert [line[1] for line in reasons(database, job_id)] == ["pending", "running", "completed"]

    async def test_small_chunks_are_merged_afterwards(self, sqlite_database: Database, vault: Vault) -> None:
        async with engine(sqlite_database, vault, COUNT):
            job_id = new_job(sqlite_database, vault, count=20, batch=3)
            await until(lambda: len(spans(sqlite_database, job_id, "output")) == 1, "the chunks to be merged")
        assert output(sqlite_database, job_id) == list(range(20))

    async def test_a_list_is_carried_through(self, database: Database, vault: Vault) -> None:
        from engine.durable.chunks import stream_tables

        emails = [f"{'x' * n}@example.com" for n in range(10)]
        async with engine(database, vault, LOOK):
            job_id = new_job(database, vault, LOOK, emails=emails)
            [job] = await ended(database, job_id)
        assert job.error_message is None
        rows = [row for table in stream_tables(database, job_id, "output") for row in table.to_pylist()]
        assert rows == [{"email": email, "length": len(email)} for email in emails]

    async def test_a_job_without_items_completes(self, sqlite_database: Database, vault: Vault) -> None:
        async with engine(sqlite_database, vault, COUNT):
            [job] = await ended(sqlite_database, new_job(sqlite_database, vault, count=0))
        assert (job.status, job.progress) == ("completed", 100.0)

    async def test_every_submission_is_noticed_without_the_fallback(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With no fallback, a commit that was missed would never be picked up."""
        honest = Watcher.wait
        monkeypatch.setattr(Watcher, "wait", lambda self, timeout=0.0: honest(self, 600.0))
        async with engine(database, vault, COUNT):
            for _ in range(15):
                await ended(database, await asyncio.to_thread(new_job, database, vault, count=1))

    async def test_two_engines_share_jobs_and_make_every_row_once(self, database: Database, vault: Vault) -> None:
        ids = [new_job(database, vault, count=9, batch=2) for _ in range(20)]
        async with engine(database, vault, COUNT), engine(database, vault, COUNT):
            ids += [new_job(database, vault, count=9, batch=2) for _ in range(5)]
            jobs = await ended(database, *ids)
        assert {job.status for job in jobs} == {"completed"}
        assert all(output(database, job_id) == list(range(9)) for job_id in ids)
        assert {job.lease for job in jobs} == {1}


class TestFairness:
    async def test_a_small_job_behind_a_huge_slow_one_finishes_first(self, sqlite_database: Database, vault: Vault) -> None:
        gate = Gate()
        slow = counting(gate.process, "slow")
        async with engine(sqlite_database, vault, slow, COUNT, concurrency=30):
            huge = new_job(sqlite_database, vault, slow, count=100_000, batch=3)
            await until(lambda: gate.waiting == 10, "the window to be full")
            [small] = await ended(sqlite_database, new_job(sqlite_database, vault, count=5))
            assert small.status == "completed" and get(sqlite_database, huge).processed_items == 0

    async def test_the_window_is_respected(self, sqlite_database: Database, vault: Vault) -> None:
        gate = Gate()
        slow = counting(gate.process, "slow")
        async with engine(sqlite_database, vault, slow, concurrency=10):
            job_id = new_job(sqlite_database, vault, slow, count=60, batch=3)
            await until(lambda: gate.waiting == 3, "the window to be full")
            gate.opened.set()
            await ended(sqlite_database, job_id)
        assert gate.most == 3

    @pytest.mark.parametrize("cpu_bound", [False, True])
    async def test_jobs_share_the_window_batch_by_batch(self, sqlite_database: Database, vault: Vault, cpu_bound: bool) -> None:
        permits = asyncio.Semaphore(0)
        started: list[str] = []

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            started.append(params.note)
            await permits.acquire()
            return numbers(batch.start, batch.stop)

        slow = counting(process, "slow", cpu_bound=cpu_bound)
        async with engine(sqlite_database, vault, slow, concurrency=8) as running:
            new_job(sqlite_database, vault, slow, count=1000, batch=1, note="first")
            window = (os.cpu_count() or 1) + 1 if cpu_bound else 8
            await until(lambda: started.count("first") == window, "the first job to fill the window")
            new_job(sqlite_database, vault, slow, count=1000, batch=1, note="second")
            await until(lambda: "second" in started, "the second job to begin")
            for number in range(len(started), len(started) + 30):  # the second began beyond the window: one slot is not refilled
                permits.release()
                await until(lambda number=number: len(started) >= number, "a freed slot to be used")  # type: ignore[misc]
            assert 10 <= started.count("second") <= 20, started
            running.stop()

    async def test_a_window_smaller_than_a_batch_still_works(self, sqlite_database: Database, vault: Vault) -> None:
        async with engine(sqlite_database, vault, COUNT, concurrency=1):
            [job] = await ended(sqlite_database, new_job(sqlite_database, vault, count=20, batch=7))
        assert job.status == "completed"


class TestWaiting:
    async def test_parked_batches_come_back_when_due(self, database: Database, vault: Vault) -> None:
        snoozing = counting(snooze_once, "snooze")
        async with engine(database, vault, snoozing):
            job_id = new_job(database, vault, snoozing, count=9, batch=3, note="0.05")
            [job] = await ended(database, job_id)
        assert job.status == "completed" and output(database, job_id) == list(range(9))
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM batch_state")).scalar() == 0

    async def test_a_parked_job_is_nobodys_and_returns_on_another_engine(self, database: Database, vault: Vault) -> None:
        snoozing = counting(snooze_once, "snooze")
        async with engine(database, vault, snoozing) as first:
            job_id = new_job(database, vault, snoozing, count=9, batch=3, note="3600")
            job = await until_job(database, job_id, lambda job: job.wake_at is not None, "the job to be parked")
            assert (job.status, job.engine_id, job.crashes) == ("running", None, 0)
            await until(lambda: not first._dispatcher.runs, "the engine to let go")
        with database.write() as connection:
            connection.execute(text("UPDATE batch_state SET due_at = 5"))
        age(database, job_id, wake_at=5)
        async with engine(database, vault, snoozing) as second:
            await ended(database, job_id)
            assert reasons(database, job_id)[-1][1] == "completed" and second.id != first.id
        assert output(database, job_id) == list(range(9))

    async def test_one_parked_batch_does_not_hold_up_the_others(self, sqlite_database: Database, vault: Vault) -> None:
        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            return await snooze_once(batch, params, tools) if batch.number == 0 else numbers(batch.start, batch.stop)

        snoozing = counting(process, "snooze")
        async with engine(sqlite_database, vault, snoozing):
            job_id = new_job(sqlite_database, vault, snoozing, count=9, batch=3, note="3600")
            job = await until_job(sqlite_database, job_id, lambda job: job.wake_at is not None, "the job to be parked")
        assert job.processed_items == 6 and committed(sqlite_database, job_id) == [1, 2]

    async def test_where_no_batch_gets_any_further_none_is_begun(self, database: Database, vault: Vault) -> None:
        begun: list[int] = []

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            begun.append(batch.number)
            if tools.now() < opens:
                return Snooze(opens, all=True)
            return numbers(batch.start, batch.stop)

        opens = datetime.now(UTC) + timedelta(hours=1)
        closed = counting(process, "closed")
        async with engine(database, vault, closed, concurrency=2):
            job_id = new_job(database, vault, closed, count=100, batch=1)
            job = await until_job(database, job_id, lambda job: job.wake_at is not None, "the job to be parked")
            assert job.wake_at == to_ms(opens) and len(begun) <= 3, "the others were not even looked at"
            opens = datetime.now(UTC)
            with database.write() as connection:
                connection.execute(text("UPDATE batch_state SET due_at = 5"))
            age(database, job_id, wake_at=5)
            [job] = await ended(database, job_id)
        assert job.status == "completed" and output(database, job_id) == list(range(100))

    async def test_time_that_a_job_is_parked_counts_for_its_pace(self, sqlite_database: Database, vault: Vault) -> None:
        snoozing = counting(snooze_once, "snooze")
        async with engine(sqlite_database, vault, snoozing):
            job_id = new_job(sqlite_database, vault, snoozing, count=100, batch=100, note="3600")
            await until_job(sqlite_database, job_id, lambda job: job.wake_at is not None, "the job to be parked")
            with sqlite_database.write() as connection:
                connection.execute(text("UPDATE batch_state SET due_at = 5"))
            started = get(sqlite_database, job_id).started_at
            assert started is not None
            age(sqlite_database, job_id, wake_at=5, started_at=started - 1_000_000)
            [job] = await ended(sqlite_database, job_id)
        assert job.rate == pytest.approx(0.1, rel=0.05), "100 items in 1,000 seconds"

    async def test_a_saved_cursor_is_there_at_the_next_attempt(self, sqlite_database: Database, vault: Vault) -> None:
        seen: list[Any] = []

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            seen.append(batch.state)
            if batch.state is None:
                await tools.save({"page": 1})
                raise RuntimeError("the line went dead")
            return numbers(batch.start, batch.stop)

        saving = counting(process, "saving")
        async with engine(sqlite_database, vault, saving):
            [job] = await ended(sqlite_database, new_job(sqlite_database, vault, saving, count=1))
        assert job.status == "completed" and seen == [None, {"page": 1}]

    async def test_a_saved_cursor_is_there_on_another_engine(self, database: Database, vault: Vault) -> None:
        saved, blocked = asyncio.Event(), asyncio.Event()

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            if batch.state is None:
                await tools.save({"page": 1})
                saved.set()
                await blocked.wait()
            assert batch.state == {"page": 1}
            return numbers(batch.start, batch.stop)

        saving = counting(process, "saving")
        job_id = new_job(database, vault, saving, count=1)
        async with engine(database, vault, saving):
            await until(saved.is_set, "the cursor to be saved")
        async with engine(database, vault, saving):
            [job] = await ended(database, job_id)
        assert job.status == "completed"


class TestLife:
    async def test_an_engine_forgotten_in_its_sleep_registers_again(self, database: Database, vault: Vault) -> None:
        async with engine(database, vault, COUNT) as running:
            database.transact(lambda c: c.execute(text("DELETE FROM engine")))
            await running._heartbeat()
            assert [record.id for record in engines.living(database)] == [running.id]

    async def test_a_child_without_parent_ends_once_there_is_nothing_to_do(
        self, sqlite_database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "IDLE_SECONDS", 0.0)
        job_id = new_job(sqlite_database, vault, run_after=10**15)
        gone = 2**22 + 1  # above any pid
        async with engine(sqlite_database, vault, COUNT, parent=gone) as orphan:
            await orphan._follow_parent()
            assert not orphan._stopping.is_set(), "a job waits for its time"
            control.cancel(sqlite_database, job_id)
            await until(orphan._stopping.is_set, "the orphan to end")

    async def test_a_child_with_a_parent_stays(
        self, sqlite_database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "IDLE_SECONDS", 0.0)
        async with engine(sqlite_database, vault, COUNT, parent=os.getpid()) as child:
            await child._follow_parent()
            assert not child._stopping.is_set()
