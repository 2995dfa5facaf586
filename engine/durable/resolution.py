"""What a person decides about messages in doubt: they count as sent, or are sent again by another job."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, exists, func, not_, or_, select, update

from engine.durable.chunks import Span, decode, encode, raw_chunk, spans, stream_tables
from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.delivery_rules import Row as LedgerRow
from engine.durable.lease import LEASE_MS
from engine.durable.ledger import State
from engine.durable.resolved_rows import decided, holds, treated
from engine.durable.sending_tables import deliveries
from engine.durable.states import ENDED
from engine.durable.tables import chunks, engines, jobs
from engine.durable.timeline import record
from engine.errors import NotFound, WrongState

TREATED = "Treated as sent."
RESENT = "resent:"
"""Before the id of the job that sends a message in doubt again."""
RECIPIENT = "_recipient"
"""The hidden column of a sending job's input that holds the recipient's key."""
UNDER_WAY_MS = 11 * 60_000
"""How long an engine may wait for the server's answer to a message, and a little more."""
_d = deliveries.c


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A message that may have arrived; `at` is when that was noticed (ms)."""

    recipient: str
    item: int
    domain: str
    message_id: str
    attempts: int
    error: str | None
    at: int


def in_doubt(database: Database, job_id: str) -> list[InDoubt]:
    """The messages of a job that are in doubt and about which nobody has decided, in the order of the list.

    Those that were being handed over when a job ended are among them.
    """
    seen = func.coalesce(_d.settled_at, _d.updated_at)
    query = select(_d.recipient, _d.item, _d.domain, _d.message_id, _d.attempts, _d.error, seen)
    with database.read() as connection:
        return [InDoubt(*row) for row in connection.execute(query.where(*_open(connection, job_id)).order_by(_d.item))]


def in_doubt_rows(database: Database, job_id: str, recipients: Collection[str] | None = None) -> pa.Table:
    """The input rows of the messages in doubt (of some, if named), hidden columns included; to make a new job from.

    Raises:
        NotFound: the job has no input, or is gone.
    """
    wanted = {message.recipient for message in in_doubt(database, job_id)}
    if recipients is not None:
        wanted &= set(recipients)
    keys = pa.array(sorted(wanted), pa.string())
    found = [
        table.filter(pc.is_in(table.column(RECIPIENT).cast(pa.string()), value_set=keys))
        for table in stream_tables(database, job_id, "input")
    ]
    if not found:
        raise NotFound("The job has no list of recipients")
    return pa.concat_tables(found)


def mark_resent(connection: Connection, job_id: str, recipients: Collection[str], new_job_id: str) -> None:
    """Note that another job sends these messages in doubt again, in the transaction that makes that job.

    Raises:
        WrongState: somebody has decided about one of them meanwhile, or it is not in doubt.
    """
    found = _doubtful(connection, job_id, frozenset(recipients))
    if len(found) < len(set(recipients)):
        gone = len(set(recipients)) - len(found)
        raise WrongState(f"{gone} of these messages are not in doubt any more; look again")
    _decide(connection, job_id, found, state=State.IN_DOUBT, resolution=f"{RESENT}{new_job_id}")


def resent(database: Database, job_id: str) -> int:
    """How many messages in doubt of a job another job sends again. They stay in doubt: they may have arrived before."""
    query = select(func.count()).where(_d.job_id == job_id, _d.state == State.IN_DOUBT, _d.resolution.startswith(RESENT))
    with database.read() as connection:
        return connection.execute(query).scalar_one()


def reopen(connection: Connection, job_ids: Collection[str]) -> None:
    """Before these jobs are deleted: messages in doubt that they were to send again, and did not as far as is known, are to be
    decided about anew. The ledger of a job goes with it, and with it what would tell that they wait for nobody.
    """
    origin = jobs.c.params["resends"].as_string()
    origins = sorted({row[0] for row in connection.execute(select(origin).where(jobs.c.id.in_(job_ids), origin.is_not(None)))})
    if not origins:
        return
    copy = deliveries.alias().c
    settled = or_(copy.state == State.SENT, copy.resolution.is_not(None))
    copied = select(copy.job_id).where(_d.resolution == RESENT + copy.job_id, copy.recipient == _d.recipient, settled)
    marks = [f"{RESENT}{job_id}" for job_id in sorted(job_ids)]
    family = select(jobs.c.id).where(or_(jobs.c.id.in_(origins), origin.in_(origins)))
    mine = (_d.job_id.in_(family), _d.state == State.IN_DOUBT, _d.resolution.in_(marks), not_(exists(copied)))
    while connection.execute(update(deliveries).where(*mine).values(resolution=None, updated_at=now_ms())).rowcount:
        pass  # where one of these jobs sends again for another of them, from the last one back


def treat_as_sent(database: Database, job_id: str, recipients: Sequence[str] | None = None) -> int:
    """Messages in doubt count as sent from now on (all of a job, if none are named): in the ledger, in the result and in the
    job's counts. Returns how many messages.

    Each chunk of the result is rewritten together with the ledger's rows of its messages in a transaction of its own, so that
    this may end anywhere and be done again. An engine that holds the job takes it up anew: its own counts would be wrong.

    Raises:
        NotFound: there is no such job.
    """
    wanted = None if recipients is None else frozenset(recipients)
    seen: set[Span] = set()
    done = 0
    while True:
        for span in spans(database, job_id, "output"):
            if span not in seen and _concerned(database, job_id, span, wanted):
                done += database.transact(lambda connection, span=span: _in_chunk(connection, job_id, span, wanted))  # type: ignore[misc]
            seen.add(span)
        rest = database.transact(lambda connection: _in_ledger(connection, job_id, wanted, seen))
        if rest is not None:
            return done + rest


def clear(connection: Connection, job_id: str, rows: Sequence[LedgerRow]) -> None:
    """Messages have come out of doubt in the ledger, as the engine that handed them over has heard the server's answer after all:
    the result and the job's counts say so, too. An engine that holds the job takes it up anew, as its rows may be out of date.
    """
    job = _locked(connection, job_id)
    batches: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        batches[row.item // job.batch_size][row.message_id] = {
            "status": row.state.value,
            "smtp_code": row.smtp_code,
            "smtp_reply": row.smtp_reply,
            "sent_at": row.sent_at,
            "error": row.error,
        }
    moved: Counter[str] = Counter()
    for number, values in sorted(batches.items()):
        mine = and_(chunks.c.job_id == job_id, chunks.c.stream == "output", chunks.c.number <= number, chunks.c.last >= number)
        payload = connection.execute(select(chunks.c.payload).where(mine)).scalar()
        table, changed = (None, []) if payload is None else decided(decode(payload), values)
        if changed:
            connection.execute(update(chunks).where(mine).values(payload=encode(table)))
            moved.update(values[one]["status"] for one in changed)
    _move(connection, job, moved)
    record(connection, [job_id], job.status, job.status, f"{len(rows)} out of doubt: the answer came late", job.engine_id)


def _open(connection: Connection, job_id: str) -> list[ColumnElement[bool]]:
    """The conditions of messages about which somebody has to decide.

    One that was being handed over when its job ended is in doubt when no engine can hear the answer any more: until then somebody
    could have it sent again while it arrives.
    """
    status = connection.execute(select(jobs.c.status).where(jobs.c.id == job_id)).scalar()
    alive = and_(engines.c.stopped_at.is_(None), engines.c.heartbeat_at > now_ms() - LEASE_MS)
    given_up = or_(_d.updated_at < now_ms() - UNDER_WAY_MS, not_(exists(select(engines.c.id).where(alive))))
    left_over = and_(_d.state == State.ARMED, given_up)
    doubtful = or_(_d.state == State.IN_DOUBT, left_over) if status in ENDED else _d.state == State.IN_DOUBT
    return [_d.job_id == job_id, doubtful, _d.resolution.is_(None)]


def _doubtful(connection: Connection, job_id: str, wanted: frozenset[str] | None) -> list[Row[*tuple[Any, ...]]]:
    """The open messages, locked: (recipient, message_id, sent_at as it is to be)."""
    query = select(_d.recipient, _d.message_id, func.coalesce(_d.settled_at, now_ms()).label("sent_at"))
    found = connection.execute(query.where(*_open(connection, job_id)).order_by(_d.recipient).with_for_update()).all()
    return [row for row in found if wanted is None or row.recipient in wanted]


def _decide(connection: Connection, job_id: str, rows: Sequence[Row[*tuple[Any, ...]]], **values: Any) -> None:
    if rows:
        mine = and_(_d.job_id == job_id, _d.recipient == bindparam("who"))
        change = update(deliveries).where(mine).values(**values, updated_at=now_ms())
        connection.execute(change, [{"who": row.recipient} for row in rows])


def _treat(connection: Connection, job: Row[*tuple[Any, ...]], rows: Sequence[Row[*tuple[Any, ...]]], result_rows: int) -> None:
    """These messages count as sent, and so many rows of the result. The timeline says so, and that rows have changed."""
    at = func.coalesce(_d.settled_at, now_ms())
    _decide(connection, job.id, rows, state=State.SENT, resolution="sent", error=TREATED, sent_at=at, settled_at=at)
    _move(connection, job, {State.SENT.value: result_rows})
    record(connection, [job.id], job.status, job.status, f"{len(rows)} in doubt treated as sent", job.engine_id)


def _concerned(database: Database, job_id: str, span: Span, wanted: frozenset[str] | None) -> bool:
    """Whether a chunk holds messages in doubt; looked up before anybody has to wait for it."""
    with database.read() as connection:
        query = select(_d.recipient, _d.message_id).where(*_open(connection, job_id))
        ids = [row.message_id for row in connection.execute(query) if wanted is None or row.recipient in wanted]
    if not ids:
        return False
    table = raw_chunk(database, job_id, "output", span)
    return table is not None and bool(pc.any(holds(table, ids)).as_py())


def _in_chunk(connection: Connection, job_id: str, span: Span, wanted: frozenset[str] | None) -> int:
    """Decide about the messages in one chunk; 0 when it was merged with others meanwhile."""
    job = _locked(connection, job_id)
    mine = and_(
        chunks.c.job_id == job_id, chunks.c.stream == "output", chunks.c.number == span.number, chunks.c.last == span.last
    )
    payload = connection.execute(select(chunks.c.payload).where(mine)).scalar()
    if payload is None:
        return 0
    found = _doubtful(connection, job_id, wanted)
    table, changed = treated(decode(payload), {row.message_id: row.sent_at for row in found}, TREATED)
    if not changed:
        return 0
    connection.execute(update(chunks).where(mine).values(payload=encode(table)))
    present = set(changed)
    rows = [row for row in found if row.message_id in present]
    _treat(connection, job, rows, len(changed))
    return len(rows)


def _in_ledger(connection: Connection, job_id: str, wanted: frozenset[str] | None, seen: Collection[Span]) -> int | None:
    """Decide about messages that no chunk holds yet; None when one has come that was not looked at."""
    job = _locked(connection, job_id)
    query = select(chunks.c.number, chunks.c.last, chunks.c.row_count)
    there = connection.execute(query.where(chunks.c.job_id == job_id, chunks.c.stream == "output"))
    if any(Span(*row) not in seen for row in there):
        return None
    rows = _doubtful(connection, job_id, wanted)
    if rows:
        _treat(connection, job, rows, 0)
    return len(rows)


def _locked(connection: Connection, job_id: str) -> Row[*tuple[Any, ...]]:
    row = connection.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).first()
    if row is None:
        raise NotFound("There is no job with this id")
    return row


def _move(connection: Connection, job: Row[*tuple[Any, ...]], rows: Mapping[str, int]) -> None:
    """Count rows of the result in doubt by what they are now, and take the job from its engine, which would count as it did."""
    moved = min(rows.get(State.SENT, 0), job.failed_count)
    tallies = dict(job.tallies)
    if "status" in tallies:
        tallies["status"] = _shifted(tallies["status"], rows)
    values: dict[str, Any] = {
        "success_count": job.success_count + moved,
        "failed_count": job.failed_count - moved,
        "counts": _shifted(job.counts, rows),
        "tallies": tallies,
        "revision": jobs.c.revision + 1,
        "updated_at": now_ms(),
    }
    if job.engine_id is not None:
        values |= {"engine_id": None, "lease_until": None, "lease": jobs.c.lease + 1}
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values))


def _shifted(counts: Mapping[str, int], rows: Mapping[str, int]) -> dict[str, int]:
    """The counts with rows in doubt turned into others."""
    changed = Counter(counts) + Counter(rows)
    changed[State.IN_DOUBT.value] -= sum(rows.values())
    return {key: number for key, number in {**counts, **changed}.items() if number > 0 or key not in (State.IN_DOUBT, *rows)}
