"""Committing progress: each job's part behind its own fence, all of it or nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from engine.durable import control, lease
from engine.durable.commit import Kept, commit
from engine.durable.database import Database
from engine.durable.queries import get, pace
from engine.durable.states import Status
from engine.durable.tables import Job, batch_states
from engine.durable.timeline import timeline
from engine.durable.vault import Vault
from tests.durable.store import (
    age,
    claim_one,
    commit_batches,
    committed,
    everything,
    never_dead,
    new_job,
    output,
    part,
    reasons,
    register,
    running_job,
)


def states(database: Database, job_id: str) -> dict[int, tuple[int | None, object]]:
    with database.read() as connection:
        rows = connection.execute(select(batch_states).where(batch_states.c.job_id == job_id))
        return {row.number: (row.due_at, row.state) for row in rows}


def test_a_commit_moves_counters_and_chunks_together(database: Database, vault: Vault) -> None:
    job = running_job(database, vault, count=10, batch=3)
    assert commit_batches(database, job.id, [3, 0])
    now = get(database, job.id)
    assert (now.processed_items, now.success_count, now.failed_count, now.batches_done) == (4, 4, 0, 2)
    assert (now.counts, now.tallies) == ({"odd": 2, "even": 2}, {"parity": {"odd": 2, "even": 2}})
    assert now.revision > job.revision and now.progress == 40.0
    assert committed(database, job.id) == [0, 3]
    assert output(database, job.id) == [0, 1, 2, 9]
    assert commit_batches(database, job.id, [1, 2], outcome=Status.COMPLETED, reason="all batches are done")
    end = get(database, job.id)
    assert (end.status, end.progress, end.engine_id, end.error_message) == ("completed", 100.0, None, None)
    assert end.completed_at is not None and output(database, job.id) == list(range(10))
    assert reasons(database, job.id)[-1] == ("running", "completed", "all batches are done")


def test_items_are_counted_per_slot(database: Database, vault: Vault) -> None:
    job = running_job(database, vault, count=10, batch=3)
    commit_batches(database, job.id, [0])
    commit_batches(database, job.id, [1, 2])
    slots = pace(database)
    assert sum(items for _, items in slots) == 9
    assert len(slots) == 60 and all(right - left == 10_000 for (left, _), (right, _) in pairwise(slots))


def test_a_batch_cannot_be_committed_twice(database: Database, vault: Vault) -> None:
    job = running_job(database, vault)
    commit_batches(database, job.id, [0])
    before = everything(database)
    with pytest.raises(IntegrityError):
        commit_batches(database, job.id, [1, 0])
    assert everything(database) == before


def lose_by_cancel(database: Database, job: Job) -> None:
    control.cancel(database, job.id)


def lose_by_pause(database: Database, job: Job) -> None:
    control.pause(database, job.id)


def lose_by_pause_and_resume(database: Database, job: Job) -> None:
    control.pause(database, job.id)
    control.resume(database, job.id)


def lose_by_a_new_claim(database: Database, job: Job) -> None:
    control.pause(database, job.id)
    control.resume(database, job.id)
    assert claim_one(database, "another").lease == job.lease + 1


def lose_by_rescue(database: Database, job: Job) -> None:
    age(database, job.id, lease_until=1)
    assert lease.rescue(database, never_dead)


def lose_by_rescue_and_claim(database: Database, job: Job) -> None:
    lose_by_rescue(database, job)
    claim_one(database, job.engine_id or "")  # even the very same engine


def lose_by_release(database: Database, job: Job) -> None:
    lease.release(database, job.engine_id or "", "released")


def lose_by_parking(database: Database, job: Job) -> None:
    assert commit(database, [part(job, wake_at=10**15)])


def lose_by_deletion(database: Database, job: Job) -> None:
    control.cancel(database, job.id)
    control.remove(database, job.id)


LOSSES = [
    lose_by_cancel,
    lose_by_pause,
    lose_by_pause_and_resume,
    lose_by_a_new_claim,
    lose_by_rescue,
    lose_by_rescue_and_claim,
    lose_by_release,
    lose_by_parking,
    lose_by_deletion,
]


@pytest.mark.parametrize("lose", LOSSES)
def test_who_lost_a_job_writes_nothing_of_it(database: Database, vault: Vault, lose: object) -> None:
    engine = register(database)
    new_job(database, vault, count=9, batch=3)
    lost = claim_one(database, engine)
    new_job(database, vault, count=9, batch=3)
    other = claim_one(database, register(database))
    lose(database, lost)  # type: ignore[operator]
    kept = [Kept(1, None, {"page": 7})]
    before = everything(database)
    assert commit(database, [part(lost, [0], kept)]) == frozenset()
    assert commit(database, [part(lost, [0], kept, Status.COMPLETED, "done")]) == frozenset()
    assert everything(database) == before, "the loser wrote something"
    # In one transaction with a job that is still held, only that one is written.
    assert commit(database, [part(lost, [0], kept), part(other, [1])]) == {other.id}
    assert committed(database, other.id) == [1]
    assert [row for row in everything(database)["chunk"] if lost.id in row] == [row for row in before["chunk"] if lost.id in row]


def test_a_pause_by_the_engine_keeps_the_job_resumable(database: Database, vault: Vault) -> None:
    job = running_job(database, vault, count=9, batch=3)
    assert commit_batches(database, job.id, [0], outcome=Status.PAUSED, reason="the disk is nearly full")
    paused = get(database, job.id)
    assert (paused.status, paused.completed_at, paused.engine_id) == ("paused", None, None)
    assert reasons(database, job.id)[-1] == ("running", "paused", "the disk is nearly full")


def test_a_failure_says_why(database: Database, vault: Vault) -> None:
    job = running_job(database, vault, count=9, batch=3)
    assert commit_batches(database, job.id, [0], outcome=Status.FAILED, reason="the door is shut")
    failed = get(database, job.id)
    assert (failed.status, failed.error_message, failed.processed_items) == ("failed", "the door is shut", 3)


class TestStates:
    def test_a_cursor_and_a_parked_batch_are_kept_until_their_batch_is_done(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault, count=9, batch=3)
        assert commit_batches(database, job.id, [], kept=[Kept(0, None, {"page": 1}), Kept(1, 10**15, [1, "é"])])
        assert commit_batches(database, job.id, [], kept=[Kept(0, None, {"page": 2}), Kept(0, None, {"page": 3})])
        assert states(database, job.id) == {0: (None, {"page": 3}), 1: (10**15, [1, "é"])}
        assert commit_batches(database, job.id, [0])
        assert states(database, job.id) == {1: (10**15, [1, "é"])}

    def test_a_batch_that_is_done_leaves_no_state_even_if_it_kept_one_in_the_same_commit(
        self, database: Database, vault: Vault
    ) -> None:
        job = running_job(database, vault, count=9, batch=3)
        assert commit_batches(database, job.id, [0], kept=[Kept(0, 5, {"page": 1})])
        assert states(database, job.id) == {}

    def test_keeping_a_state_is_progress(self, database: Database, vault: Vault) -> None:
        job = running_job(database, vault)
        age(database, job.id, crashes=3)
        commit_batches(database, job.id, [])
        assert get(database, job.id).crashes == 3
        commit_batches(database, job.id, [], kept=[Kept(0, None, 1)])
        assert get(database, job.id).crashes == 0


def test_the_timeline_names_the_engine(database: Database, vault: Vault) -> None:
    job = running_job(database, vault, count=3)
    commit_batches(database, job.id, [0], outcome=Status.COMPLETED, reason="done")
    assert [event.engine_id for event in timeline(database, job.id)] == [None, job.engine_id, job.engine_id]
