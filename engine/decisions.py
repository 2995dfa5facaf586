"""What a person decides about messages in doubt, for pages and API alike: another job sends them again, or they count as sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from engine.durable import resolution
from engine.durable.files import copy_files
from engine.durable.ids import new_id
from engine.durable.queries import get
from engine.durable.sources import Input
from engine.durable.submit import insert_job, known
from engine.durable.tables import Job
from engine.durable.validate import read_params
from engine.errors import NotFound, WrongState
from engine.sending.recipients import KEY, WHY, Recipients
from engine.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Resent:
    """The job that sends messages again, how many, and whether this call made it (an Idempotency-Key may have found it)."""

    job_id: str
    count: int
    created: bool


def treat_as_sent(bench: Workbench, job_id: str, recipients: Collection[str] | None = None) -> int:
    """Messages in doubt count as sent (all of the job, or those to these keys); returns how many.

    Raises:
        NotFound: there is no such job.
    """
    return resolution.treat_as_sent(bench.database, job_id, None if recipients is None else sorted(recipients))


def resend(bench: Workbench, job_id: str, recipients: Collection[str] | None = None, key: str | None = None) -> Resent:
    """A new job like this one for its messages in doubt (all, or those to these keys), which keep their Message-ID.

    They are marked in the transaction that makes the job, so that nobody sends them a third time. `key` is an Idempotency-Key.

    Raises:
        NotFound: there is no such job.
        WrongState: none is in doubt any more, or not all of those that are named.
    """
    wanted = None if recipients is None else sorted(set(recipients))
    digest = hashlib.sha256(json.dumps(["resend", job_id, wanted]).encode()).hexdigest()
    if key and (found := known(bench.database, key, digest)):
        return _known(bench, found.job_id)
    old = get(bench.database, job_id)
    doubtful = wanted if wanted is not None else [message.recipient for message in resolution.in_doubt(bench.database, job_id)]
    if not doubtful:
        raise WrongState("No message of this job is in doubt, or they are being sent again already")
    job, source = _job(bench, old, _rows(bench, job_id, doubtful))
    job.idempotency_key, job.request_digest = (key, digest) if key else (None, None)

    def make(connection: Connection) -> None:
        insert_job(connection, job, f"messages in doubt of {job_id}")
        source.write(connection, job.id)
        copy_files(connection, job_id, job.id)
        resolution.mark_resent(connection, job_id, doubtful, job.id)

    try:
        bench.database.transact(make)
    except IntegrityError:
        # Two calls with one key at once: the other won.
        if key and (found := known(bench.database, key, digest)):
            return _known(bench, found.job_id)
        raise
    return Resent(job.id, job.total_items, created=True)


def _known(bench: Workbench, job_id: str) -> Resent:
    return Resent(job_id, get(bench.database, job_id).total_items, created=False)


def _rows(bench: Workbench, job_id: str, recipients: Collection[str]) -> pa.Table:
    """The rows of the list that messages were written from; others of the same mailbox got none.

    Raises:
        WrongState: none of them is in doubt.
    """
    try:
        rows = resolution.in_doubt_rows(bench.database, job_id, recipients)
    except NotFound:
        raise WrongState("The job's list of recipients is gone; its messages cannot be sent again") from None
    if WHY in rows.column_names:
        rows = rows.filter(pc.is_null(rows.column(WHY)))
        rows = Recipients.of(rows.column(KEY).to_pylist(), [None] * rows.num_rows).table(rows)
    if not rows.num_rows:
        raise WrongState("None of these messages is in doubt any more; look again")
    return rows


def _job(bench: Workbench, old: Job, rows: pa.Table) -> tuple[Job, Input]:
    """The new job and its list; the Message-IDs are those of the first job that sent."""
    job_type = bench.job_type(old.type)
    params = read_params(job_type, {**old.params, "resends": old.params.get("resends") or old.id})
    source = Input.of_tables(iter([rows]))
    plan = job_type.plan(params, source.source)
    job = Job(
        id=new_id(),
        type=old.type,
        params=params.stored(),
        user_id=old.user_id,
        total_items=plan.items,
        batch_size=plan.batch,
    )
    return job, source
