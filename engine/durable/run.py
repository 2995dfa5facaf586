"""A job in hand: which batches are left, which are in flight or parked, and what waits to be committed."""

from __future__ import annotations

import asyncio
import heapq
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self

import pyarrow as pa
from sqlalchemy import select

from engine.durable.chunks import encode, spans
from engine.durable.clock import to_ms
from engine.durable.commit import Finished, Kept, Part
from engine.durable.contract import Batch, Done, JobParams, JobRef, JobType, Json, Plan, Snooze
from engine.durable.database import Database
from engine.durable.goal import REACHED, Goal, Ready
from engine.durable.schema import output_schema
from engine.durable.sources import InputReader
from engine.durable.states import Status
from engine.durable.tables import Job, batch_states
from engine.durable.totals import Totals
from engine.durable.validate import read_params
from engine.durable.vault import Vault
from engine.errors import LeaseLost

SMALL_CHUNK_ROWS = 20_000
"""A completed job whose chunks are smaller on average is worth merging."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the database says of a claimed job, read before its first batch starts."""

    params: JobParams
    plan: Plan
    reader: InputReader
    schema: pa.Schema
    secrets: Mapping[str, str]
    todo: tuple[int, ...]
    states: Mapping[int, tuple[int | None, Json]]

    @classmethod
    def of(cls, database: Database, vault: Vault, job_type: JobType, job: Job) -> Self:
        """Read the job: the batches without a chunk are what is left."""
        reader = InputReader(database, job.id)
        source = reader.source
        done = {number for span in spans(database, job.id, "output") for number in range(span.number, span.last + 1)}
        params = read_params(job_type, {**job.params, **(_items(job_type) if source else {})})
        plan = Plan(job.total_items, job.batch_size, job.goal)
        schema = output_schema(job_type.columns_of(job.params), source.schema if source and job_type.carries else None)
        todo = tuple(number for number in range(plan.batches) if number not in done)
        return cls(params, plan, reader, schema, vault.load(database, job.id), todo, _states(database, job.id))


def _items(job_type: JobType) -> dict[str, list[object]]:
    """A stand-in for the list that lives in the input stream, where the parameters cannot do without."""
    name = job_type.params.items_field
    return {name: []} if name and job_type.params.model_fields[name].is_required() else {}


def _states(database: Database, job_id: str) -> dict[int, tuple[int | None, Json]]:
    query = select(batch_states.c.number, batch_states.c.due_at, batch_states.c.state).where(batch_states.c.job_id == job_id)
    with database.read() as connection:
        return {row.number: (row.due_at, row.state) for row in connection.execute(query)}


@dataclass
class Pending:
    """Outcomes since the last commit."""

    finished: list[Finished] = field(default_factory=list)
    outcomes: list[Done] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    items: int = 0
    bytes: int = 0


class JobRun:
    """The engine's side of one lease on one job. Used from the event loop only."""

    def __init__(self, job: Job, job_type: JobType, loaded: Loaded, engine: str, now: float) -> None:
        self.id, self.lease, self.type, self.loaded, self.engine = job.id, job.lease, job_type, loaded, engine
        self.totals = Totals.of(job)
        self._ref = JobRef(job.id, datetime.fromtimestamp(job.created_at / 1000, UTC), job.lease)
        self._goal = Goal(loaded.plan, min(loaded.todo, default=loaded.plan.batches), job.success_count, job.processed_items)
        self.in_flight: dict[int, asyncio.Task[None]] = {}
        self.lost = False
        self.ending: tuple[Status, str] | None = None
        self._leaving = False
        self._pending = Pending()
        self._states = dict(loaded.states)
        self._committed_at = now - self._parked_seconds(job)
        left = set(loaded.todo)
        self._parked = [(due, number) for number, (due, _) in self._states.items() if due is not None and number in left]
        heapq.heapify(self._parked)
        self._rests_until = 0
        if self._goal.reached:  # paused in the very moment of its end
            self.end(Status.COMPLETED, REACHED)
        waiting = {number for _, number in self._parked}
        self._todo: Iterator[int] = iter([number for number in loaded.todo if number not in waiting])
        self._next = next(self._todo, None)

    def take(self, now_ms: int) -> int | None:
        """The next batch to start: a parked one that is due, else the next in order; None when there is none."""
        if not self._open or now_ms < self._rests_until:
            return None
        if self._parked and self._parked[0][0] <= now_ms:
            return heapq.heappop(self._parked)[1]
        if not self._goal.wants(len(self.in_flight)):
            return None
        number, self._next = self._next, next(self._todo, None)
        return number

    def ready(self, now_ms: int) -> bool:
        """Whether `take` has something to give."""
        if not self._open or now_ms < self._rests_until:
            return False
        if self._parked and self._parked[0][0] <= now_ms:
            return True
        return self._next is not None and self._goal.wants(len(self.in_flight))

    @property
    def _open(self) -> bool:
        """Whether batches may still start; once the job's end or its parking is on the way to the disk, none may."""
        return not (self.lost or self.ending or self._leaving)

    def batch(self, number: int) -> Batch:
        """The batch with its input and what an earlier run of it saved. Reads the database."""
        _, state = self._states.get(number, (None, None))
        return replace(self.loaded.reader.batch(self.loaded.plan, number, state), job=self._ref)

    def checked(self, number: int, outcome: Done) -> pa.Table:
        """The outcome's rows in the job's schema; an outcome that does not account for every item is an error of the job type."""
        start, stop = self.loaded.plan.span(number)
        if outcome.succeeded + outcome.failed != stop - start or min(outcome.succeeded, outcome.failed) < 0:
            raise ValueError(f"batch {number} has {stop - start} items but {outcome.succeeded + outcome.failed} outcomes")
        if outcome.rows.schema.equals(self.loaded.schema):
            return outcome.rows.replace_schema_metadata(None)
        return outcome.rows.select(self.loaded.schema.names).cast(self.loaded.schema)

    def finish(self, number: int, outcome: Done, rows: int, payload: bytes) -> None:
        """A batch is done: its chunk waits for the next commit."""
        for ready in self._goal.take(Ready(number, outcome, rows, payload)):
            self._pending.finished.append(Finished(ready.number, ready.rows, ready.payload))
            self._pending.outcomes.append(ready.outcome)
            self._pending.items += ready.outcome.succeeded + ready.outcome.failed
            self._pending.bytes += len(ready.payload)
        if self._goal.reached:
            self.end(Status.COMPLETED, REACHED)

    def park(self, number: int, snooze: Snooze) -> None:
        """A batch is parked: its state waits for the next commit."""
        if snooze.until.tzinfo is None:
            raise ValueError(f"batch {number} is parked until a moment without a time zone; give an aware one")
        due = to_ms(snooze.until)
        storable(snooze.state)
        self._states[number] = (due, snooze.state)
        self._pending.kept.append(Kept(number, due, snooze.state))
        heapq.heappush(self._parked, (due, number))
        if snooze.all:
            self._rests_until = max(self._rests_until, due)

    async def save(self, number: int, state: Json, wake: Callable[[JobRun], None]) -> None:
        """Keep a batch's cursor and wait until it is committed."""
        if self.lost:
            raise LeaseLost
        storable(state)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.kept.append(Kept(number, None, state))
        self._pending.waiters.append(waiter)
        wake(self)
        await waiter
        self._states[number] = (None, state)

    def end(self, status: Status, reason: str) -> None:
        """End or pause the job with the next commit."""
        self.ending = self.ending or (status, reason)

    @property
    def settled(self) -> bool:
        """Whether nothing more will come before the next commit."""
        return not self.in_flight and (self._next is None or self.ending is not None)

    @property
    def waiting_chunks(self) -> int:
        """Chunks that wait to be committed."""
        return len(self._pending.finished)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait to be committed."""
        return self._pending.bytes

    def part(self, now: float, now_ms: int) -> tuple[Part, Pending]:
        """What is to be committed now, and how the job goes on after it."""
        pending, self._pending = self._pending, Pending()
        totals = self.totals.plus(pending.outcomes)
        if pending.outcomes or any(kept.due_at is None for kept in pending.kept):
            # What is only parked says nothing of the pace: its time counts with the batch that is done next.
            totals, self._committed_at = totals.paced(now_ms, now - self._committed_at), now
        self.totals = totals
        outcome, reason = self.ending or (None, "")
        if outcome is None and totals.batches == self.loaded.plan.batches:
            outcome, reason = Status.COMPLETED, "all batches are done"
        resting = now_ms < self._rests_until
        waiting = not self.in_flight and (self._next is None or resting) and not self._goal.holding
        parked = outcome is None and waiting and bool(self._parked)
        self._leaving = parked or outcome is not None
        extra: dict[str, object] = {}
        if outcome == Status.COMPLETED:
            extra = {"compacted": not self._worth_merging(), "total_items": totals.processed}
        part = Part(
            job_id=self.id,
            job_type=self.type.name,
            lease=self.lease,
            engine=self.engine,
            totals=totals,
            finished=pending.finished,
            kept=pending.kept,
            items=pending.items,
            wake_at=(self._rests_until if resting else self._parked[0][0]) if parked else None,
            outcome=outcome,
            reason=reason,
            extra=extra,
        )
        return part, pending

    def _parked_seconds(self, job: Job) -> float:
        """How long a job that was parked has been on the way since its last point of the curve: waits are part of its pace."""
        if all(due is None for due, _ in self._states.values()):
            return 0.0
        since = job.history[-1][0] if job.history else job.started_at or job.updated_at
        return max(0.0, (job.updated_at - since) / 1000)

    def _worth_merging(self) -> bool:
        return self.totals.batches > 1 and self.loaded.plan.batch < SMALL_CHUNK_ROWS


def storable(value: Json) -> None:
    """Refuse what no database can keep as JSON, here where it is one batch's error and not everybody's."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"a state or a count cannot be stored as JSON: {error}") from None


def encoded(run: JobRun, number: int, outcome: Done) -> tuple[int, bytes]:
    """(rows, payload) of an outcome; slow, made to run in a thread."""
    table = run.checked(number, outcome)
    storable([outcome.counts, outcome.tallies])
    return table.num_rows, encode(table)
