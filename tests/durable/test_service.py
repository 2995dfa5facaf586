"""An engine at work: fair, patient, honest about failures, and never the owner of what it lost."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from engine.durable import committer, control, dispatcher, engines, housekeeping, lease, service
from engine.durable.chunks import INSERT, encode, spans
from engine.durable.contract import Batch, Done, Snooze, Tools
from engine.durable.database import Database
from engine.durable.queries import get
from engine.durable.run import Loaded
from engine.durable.vault import Vault
from engine.durable.watcher import Watcher
from tests.durable.running import ended, engine, until, until_job
from tests.durable.store import age, claim_one, committed, never_dead, new_job, output, reasons
from tests.toys import COUNT, LOOK, CountParams, Gate, counting, numbers, snooze_once


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(committer, "_BACKOFF_SECONDS", (0.0,))
    monkeypatch.setattr(lease, "CRASH_PAUSE_MS", 0)
    monkeypatch.setattr(service, "GRACE_SECONDS", 0.2)


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


class TestFailure:
    async def failing(self, database: Database, vault: Vault, process: Any, **params: Any) -> Any:
        """How a job of that process ends."""
        bad = counting(process, "bad")
        async with engine(database, vault, bad):
            [job] = await ended(database, new_job(database, vault, bad, **params))
        return job

    async def test_an_exception_is_tried_again_and_then_fails_the_job_with_its_reason(
        self, sqlite_database: Database, vault: Vault
    ) -> None:
        attempts: list[int] = []

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            attempts.append(batch.number)
            raise RuntimeError("the well is dry")

        job = await self.failing(sqlite_database, vault, process, count=3)
        assert job.status == "failed" and "the well is dry" in job.error_message and "Batch 0" in job.error_message
        assert attempts == [0] * dispatcher.ATTEMPTS
        assert "the well is dry" in reasons(sqlite_database, job.id)[-1][2]

    async def test_an_exception_that_goes_away_is_forgotten(self, sqlite_database: Database, vault: Vault) -> None:
        attempts: list[int] = []

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            attempts.append(batch.number)
            if len(attempts) < dispatcher.ATTEMPTS:
                raise RuntimeError("a hiccup")
            return numbers(batch.start, batch.stop)

        job = await self.failing(sqlite_database, vault, process, count=3)
        assert (job.status, job.error_message) == ("completed", None)

    @pytest.mark.parametrize(
        ("outcome", "said"),
        [
            (lambda b: numbers(b.start, b.stop - 1), "outcomes"),
            (lambda b: Done(numbers(b.start, b.stop).rows, 6, -3), "outcomes"),
            (lambda b: Done(numbers(b.start, b.stop).rows.drop_columns(["parity"]), 3), "parity"),
            (lambda b: Done(numbers(b.start, b.stop).rows, 3, counts={"odd": datetime.now()}), "JSON"),  # noqa: DTZ005
            (lambda b: Done(numbers(b.start, b.stop).rows, 3, tallies={"x": {"\ud800": 1}}), "JSON"),
            (lambda b: Snooze(datetime(2026, 1, 1)), "time zone"),  # noqa: DTZ001
            (lambda b: Snooze(datetime.now().astimezone(), float("nan")), "JSON"),
            (lambda b: None, "NoneType"),
        ],
    )
    async def test_an_outcome_that_cannot_be_stored_fails_the_job_and_nothing_else(
        self, database: Database, vault: Vault, outcome: Any, said: str
    ) -> None:
        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            return outcome(batch)  # type: ignore[no-any-return]

        bad = counting(process, "bad")
        async with engine(database, vault, bad, COUNT):
            wrong, right = await ended(database, new_job(database, vault, bad, count=3), new_job(database, vault))
        assert wrong.status == "failed" and said in (wrong.error_message or "")
        assert right.status == "completed"

    @pytest.mark.parametrize("message", ["half \ud800 a pair", "a \0 byte"])
    async def test_a_message_that_no_column_holds_is_cleaned(self, database: Database, vault: Vault, message: str) -> None:
        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            raise RuntimeError(message)

        job = await self.failing(database, vault, process, count=3)
        assert job.status == "failed" and message[:2] in job.error_message

    async def test_a_batch_that_cancels_itself_fails_the_job(self, sqlite_database: Database, vault: Vault) -> None:
        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            raise asyncio.CancelledError

        job = await self.failing(sqlite_database, vault, process, count=3)
        assert job.status == "failed" and "cancelled itself" in job.error_message

    async def test_a_secret_shows_neither_in_the_job_nor_in_the_log(self, sqlite_database: Database, vault: Vault) -> None:
        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            raise RuntimeError(f"401 for key {tools.secrets['api_key']}")

        with capture_logs() as lines:
            job = await self.failing(sqlite_database, vault, process, count=3, api_key="s3cr3t-value")
        assert "401 for key ***" in job.error_message
        assert "s3cr3t-value" not in repr(lines) and any("RuntimeError" in str(line.get("trace")) for line in lines)

    async def test_what_was_committed_before_a_failure_stays_and_resume_goes_on(self, database: Database, vault: Vault) -> None:
        broken = True
        runs: list[int] = []

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            if batch.number == 3 and broken:
                await until(lambda: len(committed(database, job_id)) == 3, "the other batches to be committed")
                raise RuntimeError("broken")
            runs.append(batch.number)
            return numbers(batch.start, batch.stop)

        bad = counting(process, "bad")
        job_id = new_job(database, vault, bad, count=12, batch=3)
        async with engine(database, vault, bad):
            [job] = await ended(database, job_id)
            assert job.status == "failed" and job.processed_items == 9 and output(database, job_id) == list(range(9))
            broken = False
            control.resume(database, job_id)
            [job] = await ended(database, job_id)
        assert job.status == "completed" and job.error_message is None
        assert output(database, job_id) == list(range(12)) and sorted(runs) == [0, 1, 2, 3]

    async def test_parameters_that_are_no_longer_valid_fail_the_job(self, sqlite_database: Database, vault: Vault) -> None:
        job_id = new_job(sqlite_database, vault)
        age(sqlite_database, job_id, params={"count": -1})
        async with engine(sqlite_database, vault, COUNT):
            [job] = await ended(sqlite_database, job_id)
        assert job.status == "failed" and "count" in (job.error_message or "")

    async def test_a_job_that_cannot_be_read_is_tried_again(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failures = iter([OSError("disk I/O error")] * 2)
        honest = Loaded.of

        def flaky(*args: Any) -> Any:
            for error in failures:
                raise error
            return honest(*args)

        monkeypatch.setattr(Loaded, "of", flaky)
        async with engine(database, vault, COUNT):
            first, second = await ended(database, new_job(database, vault), new_job(database, vault))
        assert first.status == second.status == "completed"

    async def test_a_job_that_can_never_be_read_fails_in_the_end(
        self, sqlite_database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: Any) -> Any:
            raise OSError("disk I/O error")

        monkeypatch.setattr(Loaded, "of", broken)
        async with engine(sqlite_database, vault, COUNT):
            [job] = await ended(sqlite_database, new_job(sqlite_database, vault))
        assert job.status == "failed" and "OSError" in (job.error_message or "")


class TestLosing:
    async def test_a_cancel_is_seen_and_stops_what_is_in_flight(self, database: Database, vault: Vault) -> None:
        gate = Gate()
        slow = counting(gate.process, "slow")
        async with engine(database, vault, slow):
            job_id = new_job(database, vault, slow, count=9, batch=3)
            await until(lambda: gate.waiting == 3, "the batches to start")
            control.cancel(database, job_id)
            await until(lambda: gate.cancelled == 3, "the batches to be cancelled")
        assert get(database, job_id).status == "cancelled" and committed(database, job_id) == []

    async def test_pause_and_resume_go_on_from_the_chunks(self, database: Database, vault: Vault) -> None:
        gate = Gate()

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            return await gate.process(batch, params, tools) if batch.number == 2 else numbers(batch.start, batch.stop)

        slow = counting(process, "slow")
        async with engine(database, vault, slow):
            job_id = new_job(database, vault, slow, count=9, batch=3)
            await until_job(database, job_id, lambda job: job.processed_items == 6, "two batches")
            control.pause(database, job_id)
            await until(lambda: gate.cancelled == 1, "the batch to be cancelled")
            assert get(database, job_id).status == "paused"
            gate.opened.set()
            control.resume(database, job_id)
            [job] = await ended(database, job_id)
        assert job.status == "completed" and output(database, job_id) == list(range(9)) and gate.started == [2, 2]

    async def test_a_job_paused_and_resumed_between_two_looks(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gate = Gate()
        slow = counting(gate.process, "slow")
        async with engine(database, vault, slow) as running:

            async def blind() -> None:
                """The engine does not notice that it lost the job before it claims it again."""

            job_id = new_job(database, vault, slow, count=9, batch=3)
            await until(lambda: gate.waiting == 3, "the batches to start")
            monkeypatch.setattr(running, "_drop_lost", blind)
            control.pause(database, job_id)
            control.resume(database, job_id)
            await until(lambda: len(gate.started) == 6, "the new lease to start")
            gate.opened.set()
            [job] = await ended(database, job_id)
        assert (job.status, job.lease) == ("completed", 2) and output(database, job_id) == list(range(9))
        assert gate.cancelled == 3

    async def test_stopping_gives_jobs_back(self, database: Database, vault: Vault) -> None:
        gate = Gate()
        slow = counting(gate.process, "slow")
        async with engine(database, vault, slow):
            job_id = new_job(database, vault, slow, count=9, batch=3)
            await until(lambda: gate.waiting == 3, "the batches to start")
        job = get(database, job_id)
        assert (job.status, job.engine_id, job.crashes) == ("running", None, 0)
        assert reasons(database, job_id)[-1][2] == "released: its engine was stopped"
        assert engines.living(database) == []
        gate.opened.set()
        async with engine(database, vault, slow):
            await ended(database, job_id)
        assert output(database, job_id) == list(range(9))

    async def test_stopping_commits_what_finishes_in_time(
        self, sqlite_database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "GRACE_SECONDS", 30.0)
        gate = Gate()
        slow = counting(gate.process, "slow")
        async with engine(sqlite_database, vault, slow, concurrency=9) as running:
            job_id = new_job(sqlite_database, vault, slow, count=12, batch=3)
            await until(lambda: gate.waiting == 3, "the batches to start")
            running.stop()
            await until(lambda: running._dispatcher.closed, "the engine to stop starting batches")
            gate.opened.set()
        assert committed(sqlite_database, job_id) == [0, 1, 2]
        assert get(sqlite_database, job_id).engine_id is None

    async def test_a_zombie_writes_nothing(self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        gate = Gate()
        slow = counting(gate.process, "count")
        async with engine(database, vault, slow) as zombie:
            job_id = new_job(database, vault, slow, count=9, batch=3)
            await until(lambda: gate.waiting == 3, "the batches to start")
            asleep = {job_id: 1}
            monkeypatch.setattr(lease, "held", lambda *_: asleep)  # it still believes in its lease
            age(database, job_id, lease_until=1)
            lease.rescue(database, never_dead)
            with_another = get(database, job_id).engine_id or claim_one(database, "another").engine_id
            gate.opened.set()
            if with_another == "another":
                await until(lambda: not zombie._dispatcher.runs, "the zombie to notice at its commit")
                assert committed(database, job_id) == [] and get(database, job_id).processed_items == 0
            asleep.clear()

    async def test_a_nearly_full_disk_pauses_instead_of_failing(
        self, sqlite_database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gate = Gate()
        slow = counting(gate.process, "slow")
        async with engine(sqlite_database, vault, slow) as running:
            job_id = new_job(sqlite_database, vault, slow, count=9, batch=3)
            await until(lambda: gate.waiting == 3, "the batches to start")
            monkeypatch.setattr(housekeeping, "free_bytes", lambda _: 1024)
            await running._check_disk()
            job = await until_job(sqlite_database, job_id, lambda job: job.status == "paused", "the pause")
            assert "disk is nearly full" in reasons(sqlite_database, job_id)[-1][2] and job.error_message is None
            monkeypatch.undo()
            gate.opened.set()
            control.resume(sqlite_database, job_id)
            await ended(sqlite_database, job_id)
        assert output(sqlite_database, job_id) == list(range(9))


class TestCommitting:
    async def test_a_database_that_is_away_for_a_moment_costs_nothing(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failures = iter([OperationalError("UPDATE job", {}, Exception("database is locked"))] * 5)
        honest = committer.commit

        def flaky(*args: Any) -> Any:
            for error in failures:
                raise error
            return honest(*args)

        monkeypatch.setattr(committer, "commit", flaky)
        async with engine(database, vault, COUNT):
            [job] = await ended(database, new_job(database, vault, count=9, batch=3))
        assert job.status == "completed" and output(database, job.id) == list(range(9)) and next(failures, None) is None

    async def test_one_jobs_unstorable_part_does_not_hold_up_the_others(self, database: Database, vault: Vault) -> None:
        gate = Gate()
        slow = counting(gate.process, "slow")
        async with engine(database, vault, slow):
            bad, good = (new_job(database, vault, slow, count=9, batch=3) for _ in range(2))
            await until(lambda: gate.waiting == 6, "the batches to start")
            chunk = {"job_id": bad, "stream": "output", "number": 1, "last": 1, "row_count": 3}
            database.transact(lambda c: c.execute(INSERT, {**chunk, "payload": encode(numbers(3, 6).rows)}))
            gate.opened.set()
            wrong, right = await ended(database, bad, good)
        assert (right.status, wrong.status) == ("completed", "failed")
        assert "could not be stored" in (wrong.error_message or "")


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
