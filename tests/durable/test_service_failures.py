"""An engine in trouble: honest about failures, and never the owner of what it lost."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, cast

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from engine.durable import committer, control, dispatcher, engines, housekeeping, lease, service
from engine.durable.chunks import INSERT, encode
from engine.durable.commit import commit
from engine.durable.contract import Batch, Done, Snooze, Tools
from engine.durable.database import Database
from engine.durable.queries import get
from engine.durable.run import Loaded
from engine.durable.vault import Vault
from engine.errors import Held
from tests.durable.running import ended, engine, until, until_job
from tests.durable.store import age, committed, never_dead, new_job, output, reasons
from tests.toys import COUNT, CountParams, Gate, counting, numbers

pytestmark = pytest.mark.usefixtures("no_pauses")


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

    async def test_a_job_that_is_held_is_paused_with_the_reason_and_goes_on_when_resumed(
        self, sqlite_database: Database, vault: Vault
    ) -> None:
        mended = asyncio.Event()

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            if not mended.is_set():
                raise Held("the well is locked: open it, then resume")
            return numbers(batch.start, batch.stop)

        async with engine(sqlite_database, vault, counting(process, "held")):
            job_id = new_job(sqlite_database, vault, counting(process, "held"), count=3)
            job = await until_job(sqlite_database, job_id, lambda job: job.status == "paused", "the pause")
            assert job.error_message == "the well is locked: open it, then resume" == reasons(sqlite_database, job_id)[-1][2]
            mended.set()
            control.resume(sqlite_database, job_id)
            [job] = await ended(sqlite_database, job_id)
        assert (job.status, job.error_message, output(sqlite_database, job_id)) == ("completed", None, [0, 1, 2])

    async def test_a_database_that_is_away_fails_no_job(self, sqlite_database: Database, vault: Vault) -> None:
        attempts: list[int] = []

        async def process(batch: Batch, params: CountParams, tools: Tools) -> Done | Snooze:
            attempts.append(batch.number)
            if len(attempts) <= dispatcher.ATTEMPTS:
                raise OperationalError("SELECT", {}, Exception("server closed the connection"))
            return numbers(batch.start, batch.stop)

        job = await self.failing(sqlite_database, vault, process, count=3)
        assert (job.status, job.error_message) == ("completed", None)

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
            (lambda b: Done(numbers(b.start, b.stop).rows, 3, counts={"odd": cast(int, datetime.now())}), "JSON"),  # noqa: DTZ005
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
            with_another = lease.claim(database, "another", [slow.name], 1)  # or the zombie was quicker
            gate.opened.set()
            if with_another:
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
            assert "disk is nearly full" in (job.error_message or "")
            assert job.error_message == reasons(sqlite_database, job_id)[-1][2]
            later = new_job(sqlite_database, vault, slow, count=9, batch=3)
            await running._claim()
            assert get(sqlite_database, later).status == "pending", "nothing new begins while the disk is short"
            control.cancel(sqlite_database, later)
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
        honest = commit

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
