"""What a user does to jobs: cancel, pause, resume, run again, delete, clean up; one job or all that match a filter."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import accumulate

from sqlalchemy import ColumnElement, Connection, delete, select, update

from engine.durable.clock import now_ms
from engine.durable.commit import SLOT_MS
from engine.durable.contract import JobType
from engine.durable.database import Database
from engine.durable.files import copy_files
from engine.durable.ids import new_id
from engine.durable.queries import Filter
from engine.durable.resolution import reopen
from engine.durable.sources import copy_stream
from engine.durable.states import CANCELLABLE, ENDED, PAUSABLE, RESUMABLE, Status
from engine.durable.submit import insert_job, kept_secrets
from engine.durable.tables import Job, jobs, throughput
from engine.durable.timeline import record
from engine.durable.validate import read_params
from engine.durable.vault import Vault, forget
from engine.errors import InvalidInput, NotFound, WrongState

_BATCH = 500
_BATCH_ITEMS = 1_000_000
"""Items of the jobs that one transaction deletes: what takes well under a second."""
DAY_MS = 86_400_000


def cancel(database: Database, job_id: str, reason: str = "cancelled by the user") -> None:
    """Cancel a job that has not ended; the rows committed so far stay.

    Raises:
        NotFound, WrongState
    """
    database.transact(lambda connection: _change(connection, job_id, CANCELLABLE, _cancel, "has already ended", reason))


def pause(database: Database, job_id: str, reason: str = "paused by the user") -> None:
    """Hold a job until it is resumed."""
    database.transact(lambda connection: _change(connection, job_id, PAUSABLE, _pause, "cannot be paused", reason))


def resume(database: Database, job_id: str, reason: str = "resumed by the user") -> None:
    """Go on with a paused, failed or cancelled job from the chunks that exist; a `runAfter` is dropped."""
    database.transact(lambda connection: _change(connection, job_id, RESUMABLE, _resume, "cannot be resumed", reason))


def rerun(
    database: Database,
    vault: Vault,
    job_id: str,
    job_type: JobType,
    defaults: dict[str, str] | None = None,
    key: tuple[str, str] | None = None,
) -> str:
    """A new job with the same parameters and the same input; returns its id.

    `defaults` are the server's own values of secret fields; a required secret that is in neither place is asked for.
    `key` is an Idempotency-Key with the digest of the request, kept with the new job (see `submit.known`).
    """
    with database.session() as session:
        old = session.get(Job, job_id)
    if old is None:
        raise NotFound("There is no job with this id")
    secrets = kept_secrets(job_type.params, old.params, {}, defaults or {})
    kept = ("type", "params", "user_id", "total_items", "batch_size", "goal", "source_job_id", "source_where")
    job = Job(id=new_id(), **{name: getattr(old, name) for name in kept})
    job.params = {name: value for name, value in old.params.items() if name not in job_type.params.once}
    if old.goal is not None:  # it may have ended with less than its plan
        job.total_items = job_type.plan(read_params(job_type, old.params), None).items
    job.idempotency_key, job.request_digest = key or (None, None)

    def copy(connection: Connection) -> None:
        if connection.execute(select(jobs.c.id).where(jobs.c.id == job_id).with_for_update()).first() is None:
            raise NotFound("The job was deleted meanwhile")
        insert_job(connection, job, f"run again from {job_id}")
        copy_stream(connection, job_id, "input", job.id)
        copy_files(connection, job_id, job.id)
        vault.store(connection, job.id, secrets)

    database.transact(copy)
    return job.id


def remove(database: Database, job_id: str) -> None:
    """Delete an ended job with its chunks and timeline, in one transaction."""

    def take_away(connection: Connection) -> None:
        if not _delete(connection, [job_id]):
            raise _refusal(connection, job_id, "has not ended; cancel it first")

    database.transact(take_away)


def cleanup(database: Database, older_than_days: float) -> int:
    """Delete jobs that ended more than so many days ago; 0 means every ended job. Returns how many."""
    if older_than_days < 0:
        raise InvalidInput.of("olderThanDays", "must be 0 or more")
    return remove_all(database, Filter(), jobs.c.completed_at <= now_ms() - round(older_than_days * DAY_MS))


def cancel_all(database: Database, wanted: Filter, reason: str = "cancelled by the user, with others") -> int:
    """Cancel every job that matches and has not ended; returns how many."""

    def work(connection: Connection, ids: Collection[str]) -> int:
        done = 0
        for job_id in sorted(ids):
            try:
                _change(connection, job_id, CANCELLABLE, _cancel, "", reason)
            except (WrongState, NotFound):  # it ended or went while we were at it
                continue
            done += 1
        return done

    return _in_batches(database, and_alive(wanted), work)


def remove_all(database: Database, wanted: Filter, also: ColumnElement[bool] | None = None) -> int:
    """Delete every ended job that matches; returns how many."""
    condition = wanted.condition() & jobs.c.status.in_(ENDED)
    if also is not None:
        condition &= also

    return _in_batches(database, condition, _delete)


def prune_throughput(database: Database, hours: int = 24) -> None:
    """Forget old throughput slots."""
    database.transact(lambda c: c.execute(delete(throughput).where(throughput.c.slot < now_ms() // SLOT_MS - hours * 360)))


def and_alive(wanted: Filter) -> ColumnElement[bool]:
    """The filter, and not ended."""
    return wanted.condition() & jobs.c.status.in_(CANCELLABLE)


def _in_batches(database: Database, condition: ColumnElement[bool], work: Callable[[Connection, Collection[str]], int]) -> int:
    """Short transactions, so that engines get their turn; each job is seen once, however long it takes."""
    total, last = 0, ""
    while True:
        query = select(jobs.c.id, jobs.c.total_items).where(condition, jobs.c.id > last).order_by(jobs.c.id).limit(_BATCH)
        with database.read() as connection:
            found = connection.execute(query).all()
        items = accumulate(row.total_items for row in found)
        ids = [row.id for number, (row, sum_) in enumerate(zip(found, items, strict=True)) if not number or sum_ <= _BATCH_ITEMS]
        if not ids:
            return total
        last = ids[-1]
        total += database.transact(lambda connection, ids=ids: work(connection, ids))  # type: ignore[misc]


def _delete(connection: Connection, ids: Collection[str]) -> int:
    """Delete those of the jobs that have ended; returns how many."""
    ended = select(jobs.c.id).where(jobs.c.id.in_(ids), jobs.c.status.in_(ENDED)).order_by(jobs.c.id).with_for_update()
    found = connection.execute(ended).scalars().all()
    reopen(connection, found)
    return connection.execute(delete(jobs).where(jobs.c.id.in_(found))).rowcount


def _change(
    connection: Connection,
    job_id: str,
    allowed: Collection[Status],
    values: Callable[[], dict[str, object]],
    refusal: str,
    reason: str,
) -> None:
    """Move one job to another state if its present one allows it, and write the timeline."""
    before = connection.execute(select(jobs.c.status).where(jobs.c.id == job_id).with_for_update()).scalar()
    let_go = {"engine_id": None, "lease_until": None, "wake_at": None}
    new = {**values(), **let_go, "updated_at": now_ms(), "revision": jobs.c.revision + 1}
    changed = update(jobs).where(jobs.c.id == job_id, jobs.c.status.in_(allowed)).values(**new)
    if connection.execute(changed).rowcount != 1:
        raise _refusal(connection, job_id, refusal)
    after = Status(str(new["status"]))
    if after in ENDED:
        forget(connection, [job_id])
    record(connection, [job_id], before, after, reason)


def _refusal(connection: Connection, job_id: str, refusal: str) -> WrongState | NotFound:
    status = connection.execute(select(jobs.c.status).where(jobs.c.id == job_id)).scalar()
    return NotFound("There is no job with this id") if status is None else WrongState(f"The job is {status}: it {refusal}")


def _cancel() -> dict[str, object]:
    return {"status": Status.CANCELLED, "completed_at": now_ms()}


def _pause() -> dict[str, object]:
    return {"status": Status.PAUSED}


def _resume() -> dict[str, object]:
    return {"status": Status.PENDING, "completed_at": None, "error_message": None, "run_after": None, "crashes": 0}
