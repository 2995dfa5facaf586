"""Claim, heartbeat, release, rescue: who holds a job, and who takes it from the dead."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

from engine.durable import control, engines, lease
from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.queries import get
from engine.durable.states import Status
from engine.durable.tables import engines as engine_table
from engine.durable.tables import jobs
from engine.durable.vault import Vault
from tests.durable.store import (
    ENGINE,
    TYPES,
    age,
    claim_one,
    commit_batches,
    never_dead,
    new_job,
    reasons,
    register,
    running_job,
)

ROOT = Path(__file__).resolve().parents[2]
FAR = 10**9


def clock(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(now_ms())).scalar_one())


class TestClaim:
    def test_the_oldest_first_and_no_more_than_asked(self, database: Database, vault: Vault) -> None:
        ids = [new_job(database, vault) for _ in range(5)]
        for position, job_id in enumerate(ids):
            age(database, job_id, created_at=1000 + position)
        assert [job.id for job in lease.claim(database, ENGINE, TYPES, 2)] == ids[:2]
        assert [job.id for job in lease.claim(database, ENGINE, TYPES, 10)] == ids[2:]
        assert lease.claim(database, ENGINE, TYPES, 10) == []
        assert lease.claim(database, ENGINE, TYPES, 0) == []

    def test_a_claimed_job_runs_under_a_new_lease(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault)
        assert (job.status, job.engine_id, job.lease) == ("running", ENGINE, 1)
        assert job.started_at is not None and job.lease_until is not None and job.lease_until > job.started_at
        assert get(database, job.id).model_dump() == job.model_dump()
        assert reasons(database, job.id)[1:] == [("pending", "running", "started")]

    def test_only_types_that_the_engine_knows(self, database: Database, vault: Vault) -> None:
        new_job(database, vault)
        assert lease.claim(database, ENGINE, ["something else"], 10) == []
        assert lease.claim(database, ENGINE, [], 10) == []

    def test_a_delayed_job_waits_for_its_time(self, database: Database, vault: Vault) -> None:
        job_id = new_job(database, vault, run_after=clock(database) + FAR)
        assert lease.claim(database, ENGINE, TYPES, 10) == []
        age(database, job_id, run_after=clock(database) - 1)
        assert claim_one(database).id == job_id

    def test_a_parked_job_waits_for_its_batch(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault)
        assert commit_batches(database, job.id, [0], wake_at=clock(database) + FAR)
        assert lease.claim(database, ENGINE, TYPES, 10) == []
        age(database, job.id, wake_at=clock(database) - 1)
        again = claim_one(database, "another")
        assert again.id == job.id and again.lease > job.lease and again.wake_at is None
        assert again.started_at == job.started_at

    def test_threads_that_claim_at_once_never_share_a_job(self, database: Database, vault: Vault) -> None:
        ids = {new_job(database, vault) for _ in range(40)}
        ready = Barrier(4)

        def work(name: int) -> list[str]:
            ready.wait()
            taken: list[str] = []
            while found := lease.claim(database, f"engine {name}", TYPES, 3):
                taken.extend(job.id for job in found)
            return taken

        with ThreadPoolExecutor(4) as threads:
            taken = [job_id for found in threads.map(work, range(4)) for job_id in found]
        assert sorted(taken) == sorted(ids)


class TestHeartbeat:
    def test_it_renews_the_leases_of_its_engine_only(self, database: Database, vault: Vault) -> None:
        engine = register(database)
        for _ in range(2):
            new_job(database, vault)
        mine, other = claim_one(database, engine), claim_one(database, "another")
        for job in (mine, other):
            age(database, job.id, lease_until=5)
        assert lease.heartbeat(database, engine, 1)
        assert (get(database, mine.id).lease_until or 0) > clock(database) + lease.LEASE_MS // 2
        assert get(database, other.id).lease_until == 5
        assert [record.jobs for record in engines.living(database)] == [1]

    def test_an_engine_that_was_forgotten_learns_so(self, database: Database, vault: Vault) -> None:
        assert not lease.heartbeat(database, "forgotten", 0)


class TestRelease:
    def test_all_its_jobs_are_free_at_once(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault)
        lease.release(database, ENGINE, "released: its engine was stopped")
        freed = get(database, job.id)
        assert (freed.status, freed.engine_id, freed.crashes) == ("running", None, 0)
        assert reasons(database, job.id)[-1] == ("running", "running", "released: its engine was stopped")
        assert claim_one(database, "another").lease > job.lease

    def test_the_old_lease_is_worth_nothing(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault)
        lease.release(database, ENGINE, "released")
        from engine.durable.commit import commit
        from tests.durable.store import part

        assert commit(database, [part(job, [0])]) == frozenset()

    def test_other_engines_keep_theirs(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault)
        lease.release(database, "another", "released")
        assert get(database, job.id).engine_id == ENGINE


class TestRescue:
    def test_a_lease_that_ran_out(self, database: Database, vault: Vault) -> None:
        engine = register(database)
        new_job(database, vault)
        job = claim_one(database, engine)
        assert lease.rescue(database, never_dead) == {}
        age(database, job.id, lease_until=clock(database) - 1)
        assert lease.rescue(database, never_dead) == {engine: [job.id]}
        freed = get(database, job.id)
        assert (freed.status, freed.engine_id, freed.crashes) == ("running", None, 1)
        assert freed.lease > job.lease
        assert "rescued" in reasons(database, job.id)[-1][2]

    def test_an_engine_that_nobody_knows_any_more(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault)
        assert lease.rescue(database, never_dead) == {ENGINE: [job.id]}

    def test_an_engine_that_slept_keeps_its_own_jobs(self, database: Database, vault: Vault) -> None:
        """After a suspend its leases have run out; what nobody took meanwhile is still its own, and no crash."""
        job = running_job(database, vault)
        age(database, job.id, lease_until=1)
        assert lease.rescue(database, never_dead, ENGINE) == {}
        assert (get(database, job.id).engine_id, get(database, job.id).crashes) == (ENGINE, 0)
        assert lease.rescue(database, never_dead, "another") == {ENGINE: [job.id]}

    def test_an_engine_that_registers_and_claims_meanwhile_keeps_its_job(self, database: Database, vault: Vault) -> None:
        """Between a rescuer's look and its transaction a new engine may come: it must not be taken for a dead one."""
        first = register(database)
        new_job(database, vault)
        age(database, claim_one(database, first).id, lease_until=1)
        newcomer: list[str] = []

        def is_dead(_record: object) -> bool:
            newcomer.append(register(database))
            new_job(database, vault)
            claim_one(database, newcomer[0])
            return False

        assert list(lease.rescue(database, is_dead)) == [first]
        assert lease.held(database, newcomer[0])

    def test_a_killed_process_on_this_host_is_noticed_at_once(self, database: Database, database_url: str, vault: Vault) -> None:
        job_id = new_job(database, vault)
        script = (
            "import sys, time\n"
            "from engine.durable import engines, lease\n"
            "from engine.durable.database import Database\n"
            "database = Database(sys.argv[1])\n"
            "engine = engines.register(database, 'victim')\n"
            "lease.claim(database, engine, ['count'], 1)\n"
            "print(engine, flush=True)\n"
            "time.sleep(600)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, database_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as victim:
            assert victim.stdout is not None
            engine = victim.stdout.readline().strip()
            assert [record.id for record in engines.living(database)] == [engine]
            assert lease.rescue(database, engines.is_dead) == {}
            victim.send_signal(signal.SIGKILL)
            victim.wait()
        assert lease.rescue(database, engines.is_dead) == {engine: [job_id]}
        assert engines.living(database) == []

    def crash(self, database: Database) -> str:
        """An engine takes the job and dies."""
        engine = register(database)
        job = claim_one(database, engine)
        lease.rescue(database, lambda record: record.id == engine)
        return job.id

    def test_the_fifth_crash_without_progress_fails_the_job(self, database: Database, vault: Vault) -> None:
        job_id = new_job(database, vault, api_key="s3cr3t")
        for _ in range(lease.MAX_CRASHES - 1):
            assert self.crash(database) == job_id
            assert get(database, job_id).status == Status.RUNNING
        self.crash(database)
        job = get(database, job_id)
        assert job.status == Status.FAILED and job.completed_at is not None
        assert "5 times" in (job.error_message or "")
        assert vault.load(database, job_id) == {}
        rescues = [reason for _, _, reason in reasons(database, job_id) if "rescued" in reason]
        assert len(rescues) == lease.MAX_CRASHES - 1 and reasons(database, job_id)[-1][1] == "failed"

    def test_progress_forgives_crashes(self, database: Database, vault: Vault) -> None:
        job_id = new_job(database, vault, count=30, batch=3)
        for number in range(2 * lease.MAX_CRASHES):
            engine = register(database)
            claim_one(database, engine)
            assert commit_batches(database, job_id, [number])
            lease.rescue(database, lambda record, engine=engine: record.id == engine)  # type: ignore[misc]
        assert (get(database, job_id).status, get(database, job_id).crashes) == ("running", 1)

    def test_resume_starts_the_count_anew(self, database: Database, vault: Vault) -> None:
        job_id = new_job(database, vault)
        for _ in range(lease.MAX_CRASHES):
            self.crash(database)
        control.resume(database, job_id)
        assert (get(database, job_id).status, get(database, job_id).crashes) == ("pending", 0)


class TestEngines:
    def test_an_engine_lives_until_it_says_goodbye(self, database: Database) -> None:
        engine = register(database)
        assert [record.id for record in engines.living(database)] == [engine]
        engines.unregister(database, engine)
        assert engines.living(database) == []
        assert [(state.record.id, state.alive) for state in engines.recent(database)] == [(engine, False)]

    def test_a_silent_engine_is_not_alive(self, database: Database) -> None:
        engine = register(database)
        silent = update(engine_table).where(engine_table.c.id == engine).values(heartbeat_at=now_ms() - lease.LEASE_MS - 1)
        database.transact(lambda c: c.execute(silent))
        assert engines.living(database) == []

    def test_a_pid_that_another_process_got_is_not_the_engine(self, database: Database) -> None:
        engine = register(database)
        reused = update(engine_table).where(engine_table.c.id == engine).values(born=engine_table.c.born - 1)
        database.transact(lambda c: c.execute(reused))
        assert engines.living(database) == []

    def test_a_step_of_the_wall_clock_does_not_kill_an_engine(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        import psutil

        register(database)
        honest = psutil.Process.create_time
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: honest(self) + 1.0)
        assert len(engines.living(database)) == 1

    def test_of_another_host_only_the_lease_can_tell(self, database: Database) -> None:
        engine = register(database)
        elsewhere = update(engine_table).where(engine_table.c.id == engine).values(host="elsewhere", pid=1, born=1)
        database.transact(lambda c: c.execute(elsewhere))
        assert [record.id for record in engines.living(database)] == [engine]

    def test_engines_of_yesterday_are_forgotten(self, database: Database) -> None:
        old, new = register(database), register(database)
        ancient = update(engine_table).where(engine_table.c.id == old).values(heartbeat_at=1)
        database.transact(lambda c: c.execute(ancient))
        engines.prune(database)
        with database.read() as connection:
            assert connection.execute(select(engine_table.c.id)).scalars().all() == [new]


def test_fail_ends_a_job_only_under_its_lease(database: Database, vault: Vault) -> None:
    job = running_job(database, vault)
    lease.fail(database, job.id, job.lease - 1, "no", ENGINE)
    assert get(database, job.id).status == Status.RUNNING
    lease.fail(database, job.id, job.lease, "its input is gone", ENGINE)
    assert (get(database, job.id).status, get(database, job.id).error_message) == ("failed", "its input is gone")


def test_a_crash_inside_a_living_engine_counts_too(database: Database, vault: Vault) -> None:
    job_id = new_job(database, vault)
    for _ in range(lease.MAX_CRASHES):
        assert get(database, job_id).status != Status.FAILED
        age(database, job_id, wake_at=None)  # it rests between two tries
        job = claim_one(database)
        lease.crash(database, job.id, job.lease, "it could not be read: OSError", ENGINE)
        assert lease.claim(database, ENGINE, TYPES, 1) == []
    job = get(database, job_id)
    assert job.status == Status.FAILED and "OSError" in (job.error_message or "")


def test_nobody_is_waiting_where_every_job_has_ended(database: Database, vault: Vault) -> None:
    assert not lease.work_left(database, TYPES)
    job_id = new_job(database, vault, run_after=clock(database) + FAR)
    assert lease.work_left(database, TYPES)
    control.pause(database, job_id)
    assert not lease.work_left(database, TYPES)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(jobs)).scalar() == 1
