"""Submitting a job: validate, settle, plan and store it with its input, in one transaction or not at all."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from engine.durable.clock import now_ms
from engine.durable.contract import JobFileParam, JobParams, JobType, Plan
from engine.durable.database import Database
from engine.durable.files import store_files
from engine.durable.ids import new_id
from engine.durable.schema import bare
from engine.durable.sources import Input, from_job
from engine.durable.states import Status
from engine.durable.tables import Job, jobs
from engine.durable.timeline import record
from engine.durable.validate import read_params
from engine.durable.vault import Vault
from engine.errors import IdempotencyConflict, InvalidInput, Problem

MAX_KEY = 200


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks for. `rows` is an uploaded list; `from_job` names another job as the input, filtered by `where`.

    `defaults` are the server's own values of secret fields, used where the job needs one and brings none.
    """

    job_type: JobType
    params: Mapping[str, Any] | JobParams
    user_id: str | None = None
    run_after: int | None = None
    from_job: str | None = None
    where: str | None = None
    rows: pa.Table | None = None
    idempotency_key: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict, repr=False)
    unset: frozenset[str] = frozenset()
    """Names of the server's settings that have no value."""
    values: Mapping[str, str] = field(default_factory=dict)
    """The server's own values of parameters that may be left to it (`JobParams.server_values`)."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job, and whether this call created it (an Idempotency-Key may have found it)."""

    job_id: str
    created: bool


def submit(database: Database, vault: Vault, request: Request) -> Submitted:
    """Create the job.

    Raises:
        InvalidInput: a parameter is wrong; no job exists then.
        IdempotencyConflict: the key was used with another request.
    """
    digest = _digest(request)
    if request.idempotency_key and (found := known(database, request.idempotency_key, digest)):
        return found
    params = read_params(request.job_type, request.params).settled(lambda: secrets.randbelow(2**53))
    params = params.equipped(request.values, request.unset)
    source = _input(database, request, params)
    if source is not None:
        params = params.fitted(source.source)
        if params.condenses:
            source = Input.of_tables(iter([params.condensed(pa.concat_tables(source.tables(database)))]))
    _check_settings(params, request.unset)
    kept = kept_secrets(type(params), params.stored(), params.secrets(), request.defaults)
    plan = request.job_type.plan(params, source.source if source else None)
    job = _job(request, params, plan, digest)
    try:
        database.transact(lambda connection: _insert(connection, vault, job, kept, source, params.files()))
    except IntegrityError:
        # Two calls with one key at once: the other won.
        if request.idempotency_key and (found := known(database, request.idempotency_key, digest)):
            return found
        raise
    return Submitted(job.id, created=True)


def known(database: Database, key: str, digest: str) -> Submitted | None:
    """The job that this Idempotency-Key made, if any.

    Raises:
        InvalidInput: the key is too long.
        IdempotencyConflict: it was used with another request, which had another digest.
    """
    if len(key) > MAX_KEY:
        raise InvalidInput.of("Idempotency-Key", f"must be at most {MAX_KEY} characters")
    with database.read() as connection:
        row = connection.execute(select(jobs.c.id, jobs.c.request_digest).where(jobs.c.idempotency_key == key)).first()
    if row is None:
        return None
    if row.request_digest != digest:
        raise IdempotencyConflict()
    return Submitted(row.id, created=False)


def _digest(request: Request) -> str:
    """A fingerprint of the whole request as it was given."""
    params = request.params
    plain = params.model_dump(mode="json", by_alias=True) if isinstance(params, JobParams) else dict(params)
    known = [request.job_type.name, plain, request.user_id, request.run_after, request.from_job, request.where]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode())
    if request.rows is not None:
        digest.update(request.rows.schema.serialize())
        for batch in request.rows.to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()


def _input(database: Database, request: Request, params: JobParams) -> Input | None:
    table, rows = params.items_table(), request.rows
    if rows is not None and table is not None:
        raise InvalidInput.of(_filled(params), "is given beside an uploaded list; give one of them, or put all into one list")
    table = table if rows is None else rows
    needs = request.job_type.source
    if request.from_job and table is not None:
        raise InvalidInput.of("fromJob", f"give either fromJob or {params.items_field or 'a list'}, not both")
    if needs == "none" and (request.from_job or table is not None):
        raise InvalidInput.of("fromJob", f"{request.job_type.name} takes no input list; leave it out")
    if request.from_job:
        return from_job(database, request.from_job, request.where)
    if table is None and needs == "required":
        raise InvalidInput.of(to_wire(params), "is missing; give a list, or another job's id as fromJob")
    if table is None:
        return None
    if not table.num_rows:
        raise InvalidInput.of(to_wire(params), "is empty; give at least one row")
    return Input.of_tables(iter([bare(table) if table.column_names == [params.items_column] else table]))


def _filled(params: JobParams) -> str:
    """The wire name of the field whose items make a list of their own."""
    given = params.stored().keys()
    lists = [name for name, value in params if name not in given and isinstance(value, list)]
    return type(params).model_fields[lists[0]].alias or lists[0] if lists else to_wire(params)


def to_wire(params: JobParams) -> str:
    """The wire name of the field that holds the list."""
    name = params.items_field or "fromJob"
    info = type(params).model_fields.get(name)
    return (info.alias if info else None) or name


def _job(request: Request, params: JobParams, plan: Plan, digest: str) -> Job:
    return Job(
        id=new_id(),
        type=request.job_type.name,
        params=params.stored(),
        user_id=request.user_id,
        run_after=request.run_after,
        total_items=plan.items,
        batch_size=plan.batch,
        goal=plan.goal,
        source_job_id=request.from_job,
        source_where=request.where,
        idempotency_key=request.idempotency_key or None,
        request_digest=digest if request.idempotency_key else None,
    )


def kept_secrets(
    model: type[JobParams], stored: Mapping[str, Any], given: Mapping[str, str], defaults: Mapping[str, str]
) -> dict[str, str]:
    """The secrets to keep with a job: those that were given, and the server's own where the job cannot do without.

    Raises:
        InvalidInput: one is needed and in neither place.
    """
    needed = model.needed_secrets(stored) - set(given)
    if missing := sorted(needed - set(defaults)):
        name = missing[0] if missing[0] in model.model_fields else min(model.secret_fields)
        wire = model.model_fields[name].alias or name
        raise InvalidInput.of(
            wire, "is needed for this job: give it (it is kept only until the job ends; the server has none of its own)"
        )
    wanted = needed | {name for name in model.wanted_secrets(stored) if name in defaults}
    return {**{name: defaults[name] for name in wanted}, **given}


def _check_settings(params: JobParams, unset: Collection[str]) -> None:
    """Refuse what the server is not set up for."""
    missing = {field: name for field, name in params.needed_settings(params.stored()).items() if name in unset}
    if missing:
        raise InvalidInput(
            [
                Problem(field, f"needs the server's setting POSTBENCH_{name.upper()}, which is not set")
                for field, name in missing.items()
            ]
        )


def _insert(
    connection: Connection,
    vault: Vault,
    job: Job,
    kept: dict[str, str],
    source: Input | None,
    files: Sequence[JobFileParam],
) -> None:
    insert_job(connection, job, "submitted")
    vault.store(connection, job.id, kept)
    if source is not None:
        source.write(connection, job.id)
    store_files(connection, job.id, files)


def insert_job(connection: Connection, job: Job, reason: str) -> None:
    """Insert a new job with its first timeline line."""
    values = job.model_dump(exclude={"created_at", "updated_at"})
    connection.execute(insert(jobs).values(**values, created_at=now_ms(), updated_at=now_ms()))
    record(connection, [job.id], None, Status.PENDING, reason)
