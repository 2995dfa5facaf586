"""What a user does to jobs: each change only from the states that allow it, and each with its line in the timeline."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from engine.durable import control
from engine.durable.chunks import stream_tables
from engine.durable.database import Database
from engine.durable.ids import new_id
from engine.durable.queries import Filter, get, stats
from engine.durable.states import CANCELLABLE, ENDED, PAUSABLE, RESUMABLE, Status
from engine.durable.vault import Vault
from engine.errors import InvalidInput, NotFound, WrongState
from tests.durable.store import age, commit_batches, committed, complete, everything, new_job, reasons, running_job
from tests.toys import COUNT, LOOK

DAY_MS = 86_400_000


def job_in(database: Database, vault: Vault, status: Status) -> str:
    """A job in that state."""
    if status == Status.PENDING:
        return new_job(database, vault, count=9, batch=3)
    job = running_job(database, vault, count=9, batch=3)
    if status == Status.PAUSED:
        control.pause(database, job.id)
    elif status != Status.RUNNING:
        assert commit_batches(database, job.id, range(3), outcome=status, reason="for the test")
    return job.id


CHANGES = [
    (control.cancel, CANCELLABLE, Status.CANCELLED),
    (control.pause, PAUSABLE, Status.PAUSED),
    (control.resume, RESUMABLE, Status.PENDING),
]


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize(("change", "allowed", "after"), CHANGES, ids=["cancel", "pause", "resume"])
def test_a_change_is_made_where_it_is_allowed_and_refused_elsewhere(
    database: Database, vault: Vault, status: Status, change: object, allowed: frozenset[Status], after: Status
) -> None:
    job_id = job_in(database, vault, status)
    before = everything(database)
    if status not in allowed:
        with pytest.raises(WrongState, match=status):
            change(database, job_id)  # type: ignore[operator]
        assert everything(database) == before
        return
    revision = get(database, job_id).revision
    change(database, job_id)  # type: ignore[operator]
    job = get(database, job_id)
    assert job.status == after and job.revision > revision
    assert (job.engine_id, job.lease_until, job.wake_at) == (None, None, None)
    assert (job.completed_at is not None) == (after in ENDED)
    last = reasons(database, job_id)[-1]
    assert last[:2] == (status, after) and "by the user" in last[2]


@pytest.mark.parametrize("change", [control.cancel, control.pause, control.resume, control.remove])
def test_a_job_that_is_not_there_is_not_found(database: Database, change: object) -> None:
    with pytest.raises(NotFound):
        change(database, "nobody")  # type: ignore[operator]


def test_resume_goes_on_from_the_chunks_and_drops_a_delay(database: Database, vault: Vault) -> None:
    job = running_job(database, vault, count=9, batch=3)
    commit_batches(database, job.id, [0], outcome=Status.FAILED, reason="broken")
    age(database, job.id, run_after=10**15)
    control.resume(database, job.id)
    resumed = get(database, job.id)
    assert (resumed.processed_items, resumed.error_message, resumed.run_after) == (3, None, None)
    assert committed(database, job.id) == [0]


class TestRerun:
    def test_a_new_job_with_the_same_parameters_and_input(self, database: Database, vault: Vault) -> None:
        old = new_job(database, vault, LOOK, emails=["a", "b"], user_id="ann")
        new = control.rerun(database, vault, old, LOOK)
        assert new != old
        mine, theirs = get(database, new), get(database, old)
        assert (mine.status, mine.params, mine.total_items, mine.user_id) == ("pending", theirs.params, 2, "ann")
        assert [t.column("email").to_pylist() for t in stream_tables(database, new, "input")] == [["a", "b"]]
        assert reasons(database, new) == [(None, "pending", f"run again from {old}")]

    def test_the_same_seed_again(self, database: Database, vault: Vault) -> None:
        old = complete(database, vault)
        assert get(database, control.rerun(database, vault, old, COUNT)).params == get(database, old).params

    def test_a_secret_that_is_gone_is_asked_for(self, database: Database, vault: Vault) -> None:
        old = new_job(database, vault, note="needs a key", api_key="s3cr3t")
        with pytest.raises(InvalidInput, match="apiKey"):
            control.rerun(database, vault, old, COUNT)
        new = control.rerun(database, vault, old, COUNT, {"api_key": "the server's own"})
        assert vault.load(database, new) == {"api_key": "the server's own"}

    def test_of_a_job_that_is_not_there(self, database: Database, vault: Vault) -> None:
        with pytest.raises(NotFound):
            control.rerun(database, vault, "nobody", COUNT)

    def test_of_a_job_deleted_at_the_last_moment_there_is_no_half_copy(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = new_job(database, vault, LOOK, emails=["a"])
        honest = new_id

        def deleted_meanwhile() -> str:
            control.cancel(database, old)
            control.remove(database, old)
            return honest()

        monkeypatch.setattr(control, "new_id", deleted_meanwhile)
        with pytest.raises(NotFound):
            control.rerun(database, vault, old, LOOK)
        assert stats(database)["total"] == 0


class TestRemove:
    def test_everything_of_the_job_goes(self, database: Database, vault: Vault) -> None:
        job_id = complete(database, vault)
        kept = complete(database, vault)
        control.remove(database, job_id)
        left = everything(database)
        assert not [row for name in ("job", "chunk", "event", "secret") for row in left[name] if job_id in row]
        assert [row for row in left["chunk"] if kept in row]

    @pytest.mark.parametrize("status", sorted(set(Status) - ENDED))
    def test_not_while_it_lives(self, database: Database, vault: Vault, status: Status) -> None:
        job_id = job_in(database, vault, status)
        with pytest.raises(WrongState, match="cancel it first"):
            control.remove(database, job_id)
        assert get(database, job_id).status == status


class TestBulk:
    def test_cancel_all_that_match(self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(control, "_BATCH", 2)
        ended = complete(database, vault, user_id="ann")
        mine = [new_job(database, vault, user_id="ann") for _ in range(5)]
        other = new_job(database, vault, user_id="bob")
        assert control.cancel_all(database, Filter(user_id="ann")) == 5
        assert {get(database, job_id).status for job_id in mine} == {"cancelled"}
        assert (get(database, other).status, get(database, ended).status) == ("pending", "completed")
        assert control.cancel_all(database, Filter(user_id="ann")) == 0

    def test_remove_all_that_match_and_have_ended(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(control, "_BATCH", 2)
        for _ in range(5):
            complete(database, vault)
        new_job(database, vault)
        assert control.remove_all(database, Filter(type="another")) == 0
        assert control.remove_all(database, Filter()) == 5
        assert stats(database)["total"] == 1
        assert everything(database)["chunk"] == []

    def test_large_jobs_are_deleted_a_few_at_a_time(
        self, database: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One transaction deletes few items, or one job if that alone has more: engines must get their turn."""
        monkeypatch.setattr(control, "_BATCH_ITEMS", 20)
        for count in (9, 9, 9, 30, 9):
            control.cancel(database, new_job(database, vault, count=count, batch=3))
        transactions, honest = [], database.transact

        def counted(work: Callable[[Connection], int]) -> int:
            transactions.append(honest(work))
            return transactions[-1]

        monkeypatch.setattr(database, "transact", counted)
        assert control.remove_all(database, Filter()) == 5
        assert all(1 <= jobs <= 2 for jobs in transactions) and sum(transactions) == 5

    def test_cleanup_by_age(self, database: Database, vault: Vault) -> None:
        old, young = complete(database, vault), complete(database, vault)
        living = new_job(database, vault)
        completed = get(database, old).completed_at or 0
        age(database, old, completed_at=completed - 31 * DAY_MS)
        assert control.cleanup(database, 30) == 1
        assert control.cleanup(database, 30) == 0
        assert [get(database, job_id).status for job_id in (young, living)] == ["completed", "pending"]
        assert control.cleanup(database, 0) == 1
        assert stats(database) == {"total": 1, **{status.value: int(status == Status.PENDING) for status in Status}}
        with pytest.raises(InvalidInput):
            control.cleanup(database, -1)


def test_old_throughput_is_forgotten(database: Database, vault: Vault) -> None:
    complete(database, vault)
    database.transact(lambda c: c.execute(text("INSERT INTO throughput VALUES (1, 'count', 'x', 7)")))
    control.prune_throughput(database)
    assert len(everything(database)["throughput"]) == 1
