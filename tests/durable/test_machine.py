"""The life of jobs as a state machine: whatever happens in whatever order, the database says what a small model says."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import select, text

from engine.durable import control, engines, lease
from engine.durable.commit import Kept, Part, commit
from engine.durable.compaction import compact
from engine.durable.database import Database
from engine.durable.queries import get, listed, stats
from engine.durable.states import CANCELLABLE, ENDED, PAUSABLE, RESUMABLE, Status
from engine.durable.tables import Job, batch_states
from engine.durable.timeline import timeline
from engine.durable.vault import Vault
from engine.errors import NotFound, WrongState
from tests.durable.store import TYPES, age, committed, never_dead, new_job, output, part

FAR = 10**15
FORWARD = {
    (None, Status.PENDING),
    (Status.PENDING, Status.RUNNING),
    (Status.RUNNING, Status.RUNNING),
    (Status.RUNNING, Status.PAUSED),
    (Status.PENDING, Status.PAUSED),
    *((alive, Status.CANCELLED) for alive in CANCELLABLE),
    (Status.RUNNING, Status.COMPLETED),
    (Status.RUNNING, Status.FAILED),
    *((state, Status.PENDING) for state in RESUMABLE),
}
"""The state diagram; running to running is a release or a rescue."""


@dataclass
class Model:
    """What a job should be like."""

    status: Status = Status.PENDING
    done: set[int] = field(default_factory=set)
    kept: dict[int, int | None] = field(default_factory=dict)
    lease: int = 0
    engine: str | None = None
    parked: bool = False
    crashes: int = 0
    secret: bool = True
    highest: int = 0

    def let_go(self) -> None:
        self.engine, self.parked = None, False

    def end(self, status: Status) -> None:
        self.status, self.secret = status, self.secret and status not in ENDED
        self.let_go()


@dataclass
class Lease:
    """What an engine believes to hold: the job as it was claimed. It may be long out of date."""

    job: Job
    engine: str
    number: int


class JobLife(RuleBasedStateMachine):
    """Users, engines and accidents, in any order."""

    database: Database
    jobs = Bundle("jobs")
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.vault = Vault("key")
        self.models: dict[str, Model] = {}
        self.engines = [engines.register(self.database, "test") for _ in range(2)]

    def teardown(self) -> None:
        with self.database.write() as connection:
            for name in ("job", "engine", "throughput"):
                connection.execute(text(f"DELETE FROM {name}"))

    # Users

    @rule(target=jobs, count=st.integers(0, 9), batch=st.integers(1, 4))
    def submit(self, count: int, batch: int) -> str:
        job_id = new_job(self.database, self.vault, count=count, batch=batch, api_key="s3cr3t")
        self.models[job_id] = Model()
        return job_id

    def attempt(self, change: object, job_id: str, allowed: frozenset[Status]) -> bool:
        """Make a change that may be refused; whether it was made, which must be what the model expects."""
        model = self.models.get(job_id)
        try:
            change(self.database, job_id)  # type: ignore[operator]
        except NotFound:
            assert model is None
            return False
        except WrongState:
            assert model is not None and model.status not in allowed
            return False
        assert model is not None and model.status in allowed
        return True

    @rule(job_id=jobs)
    def cancel(self, job_id: str) -> None:
        if self.attempt(control.cancel, job_id, CANCELLABLE):
            self.models[job_id].end(Status.CANCELLED)

    @rule(job_id=jobs)
    def pause(self, job_id: str) -> None:
        if self.attempt(control.pause, job_id, PAUSABLE):
            self.models[job_id].end(Status.PAUSED)

    @rule(job_id=jobs)
    def resume(self, job_id: str) -> None:
        if self.attempt(control.resume, job_id, RESUMABLE):
            self.models[job_id].status, self.models[job_id].crashes = Status.PENDING, 0

    @rule(job_id=jobs)
    def delete(self, job_id: str) -> None:
        if self.attempt(control.remove, job_id, ENDED):
            del self.models[job_id]

    @rule()
    def clean_up(self) -> None:
        gone = [job_id for job_id, model in self.models.items() if model.status in ENDED]
        assert control.cleanup(self.database, 0) == len(gone)
        for job_id in gone:
            del self.models[job_id]

    # Engines

    def claimable(self) -> set[str]:
        free = {i for i, m in self.models.items() if m.status == Status.RUNNING and m.engine is None and not m.parked}
        return free | {i for i, m in self.models.items() if m.status == Status.PENDING}

    @rule(target=leases, engine=st.integers(0, 1), limit=st.integers(1, 3))
    def claim(self, engine: int, limit: int) -> object:
        expected = self.claimable()
        found = lease.claim(self.database, self.engines[engine], TYPES, limit)
        assert {job.id for job in found} <= expected and len(found) == min(limit, len(expected))
        for job in found:
            model = self.models[job.id]
            assert job.lease > model.lease
            model.status, model.engine, model.lease, model.parked = Status.RUNNING, self.engines[engine], job.lease, False
        return multiple(*(Lease(job, self.engines[engine], job.lease) for job in found))

    def held(self, mine: Lease) -> Model | None:
        """The model of the job, if this lease is still worth something."""
        model = self.models.get(mine.job.id)
        valid = model is not None and model.status == Status.RUNNING and model.lease == mine.number and model.engine
        return model if valid else None

    def write(
        self, mine: Lease, batches: list[int], kept: list[Kept], outcome: Status | None, wake_at: int | None
    ) -> Model | None:
        """Commit as the holder of that lease would; the model if it was accepted."""
        model = self.held(mine)
        base = get(self.database, mine.job.id) if mine.job.id in self.models else mine.job
        base.lease, base.engine_id = mine.number, mine.engine
        prepared: Part = part(base, batches, kept, outcome, "for the test" if outcome else "", wake_at=wake_at)
        assert commit(self.database, [prepared]) == (frozenset({mine.job.id}) if model else frozenset())
        if model and (batches or kept):
            model.crashes = 0
        if model:
            model.done |= set(batches)
            model.kept = {**model.kept, **{k.number: k.due_at for k in kept}}
            model.kept = {number: due for number, due in model.kept.items() if number not in model.done}
        return model

    def left(self, mine: Lease) -> list[int]:
        done = self.models[mine.job.id].done if mine.job.id in self.models else set()
        return [number for number in range(mine.job.batches) if number not in done]

    @rule(mine=leases, data=st.data())
    def commit_some(self, mine: Lease, data: st.DataObject) -> None:
        left = self.left(mine)
        batches = data.draw(st.lists(st.sampled_from(left), unique=True, max_size=3)) if left else []
        kept = data.draw(st.lists(st.sampled_from(left), unique=True, max_size=2)) if left else []
        self.write(mine, batches, [Kept(number, None, {"page": number}) for number in kept], None, None)

    @rule(mine=leases)
    def park(self, mine: Lease) -> None:
        kept = [Kept(number, FAR, {"tries": 1}) for number in self.left(mine)[:1]]
        if model := self.write(mine, [], kept, None, FAR):
            model.let_go()
            model.parked = True

    @rule(mine=consumes(leases), outcome=st.sampled_from([Status.FAILED, Status.PAUSED]))
    def stop(self, mine: Lease, outcome: Status) -> None:
        if model := self.write(mine, self.left(mine)[:1], [], outcome, None):
            model.end(outcome)

    @rule(mine=leases)
    def complete(self, mine: Lease) -> None:
        if model := self.write(mine, self.left(mine), [], Status.COMPLETED, None):
            model.end(Status.COMPLETED)

    @rule(job_id=jobs)
    def wake(self, job_id: str) -> None:
        if job_id in self.models and self.models[job_id].parked:
            age(self.database, job_id, wake_at=None)
            self.models[job_id].parked = False

    @rule(engine=st.integers(0, 1))
    def release(self, engine: int) -> None:
        released = lease.release(self.database, self.engines[engine], "released")
        assert set(released) == {i for i, m in self.models.items() if m.engine == self.engines[engine]}
        for job_id in released:
            self.models[job_id].let_go()

    @rule(job_id=jobs)
    def merge(self, job_id: str) -> None:
        if job_id in self.models and self.models[job_id].status == Status.COMPLETED:
            compact(self.database, job_id)

    # Accidents

    @rule(engine=st.integers(0, 1))
    def kill(self, engine: int) -> None:
        victim = self.engines[engine]
        rescued = lease.rescue(self.database, lambda record: record.id == victim)
        self.crashed(rescued, {i for i, m in self.models.items() if m.engine == victim})
        self.engines[engine] = engines.register(self.database, "test")

    @rule(job_id=jobs)
    def lose_lease(self, job_id: str) -> None:
        if job_id in self.models and self.models[job_id].engine:
            age(self.database, job_id, lease_until=5)
            self.crashed(lease.rescue(self.database, never_dead), {job_id})

    def crashed(self, rescued: dict[str, list[str]], expected: set[str]) -> None:
        assert set(itertools.chain(*rescued.values())) == expected
        for job_id in expected:
            model = self.models[job_id]
            if model.crashes + 1 == lease.MAX_CRASHES:
                model.end(Status.FAILED)
            else:
                model.crashes += 1
                model.let_go()

    # What always holds

    @invariant()
    def every_job_is_as_the_model_says(self) -> None:
        found = {job.id: job for job in listed(self.database, limit=500).jobs}
        assert found.keys() == self.models.keys()
        for job_id, job in found.items():
            self.compare(job, self.models[job_id])

    def compare(self, job: Job, model: Model) -> None:
        assert (job.status, job.engine_id, job.crashes, job.wake_at is not None) == (
            model.status,
            model.engine,
            model.crashes,
            model.parked,
        )
        assert job.ended == (job.completed_at is not None) == (job.status in ENDED)
        assert job.lease >= model.lease
        assert committed(self.database, job.id) == sorted(model.done)
        rows = [n for number in sorted(model.done) for n in range(*span(job, number))]
        assert output(self.database, job.id) == rows
        assert (job.processed_items, job.success_count, job.batches_done) == (len(rows), len(rows), len(model.done))
        odd = sum(n % 2 for n in rows)
        assert job.counts in ({"odd": odd, "even": len(rows) - odd}, {}) and (job.counts or not rows)
        assert job.processed_items >= model.highest, "progress went back"
        model.highest = job.processed_items
        with self.database.read() as connection:
            query = select(batch_states.c.number, batch_states.c.due_at).where(batch_states.c.job_id == job.id)
            assert {row.number: row.due_at for row in connection.execute(query)} == model.kept
        assert bool(self.vault.load(self.database, job.id)) == model.secret
        path = [(event.from_status, event.to_status) for event in timeline(self.database, job.id)]
        assert set(path) <= FORWARD and path[0][0] is None and path[-1][1] == job.status
        assert all(before[1] == after[0] for before, after in itertools.pairwise(path)), f"a gap in {path}"

    @invariant()
    def counts_by_status_add_up(self) -> None:
        found = stats(self.database)
        assert found["total"] == len(self.models)
        assert all(found[status] == sum(m.status == status for m in self.models.values()) for status in Status)


def span(job: Job, number: int) -> tuple[int, int]:
    return number * job.batch_size, min((number + 1) * job.batch_size, job.total_items)


@pytest.fixture
def fast_sqlite(migrated_file: Path) -> Iterator[Database]:
    """SQLite in memory-backed storage where there is one: many thousand small commits."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        path = Path(folder) / "postbench.db"
        shutil.copyfile(migrated_file, path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.close()


def explore(database: Database, examples: int, steps: int) -> None:
    machine = type("JobLifeOnDatabase", (JobLife,), {"database": database})
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    phases = [Phase.generate, Phase.reuse, Phase.shrink]
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=checks,
        phases=phases,
        database=None,
    )
    run_state_machine_as_test(machine, settings=limits)


@pytest.mark.slow
def test_any_life_on_sqlite(fast_sqlite: Database) -> None:
    explore(fast_sqlite, examples=30, steps=40)


@pytest.mark.slow
@pytest.mark.postgres
def test_any_life_on_postgresql(migrated_postgres: Database) -> None:
    with migrated_postgres.write() as connection:
        connection.execute(text("TRUNCATE job, engine, throughput RESTART IDENTITY CASCADE"))
    explore(migrated_postgres, examples=10, steps=30)
