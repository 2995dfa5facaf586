"""Reports that messages did not reach their mailboxes: kept once each; a mailbox that is gone gets no more mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.durable.clock import now_ms
from engine.durable.database import Database
from engine.durable.sending_tables import Bounce, BounceKind, bounces, deliveries
from engine.durable.suppressions import NewSuppression, SuppressionSource, enlist

BATCH = 500
"""Reports written in one transaction."""
MAX_TEXT = 1_000
"""Characters kept of what a server said."""


@dataclass(frozen=True, slots=True)
class BounceIn:
    """A report as it was read: `digest` is the same when it is read again, `address` is a key (`engine.mail.address.folded`).

    `at` in ms; `status` is an enhanced status code (RFC 3463) or "", `diagnostic` what the server said; `message_id` is that
    of the message which did not arrive, where the report has it. `job_id` is that whose message it was, to this address, where
    the report has a signature of ours; without one the ledger tells.
    """

    digest: str
    address: str
    at: int
    kind: str
    status: str = ""
    diagnostic: str = ""
    message_id: str | None = None
    job_id: str | None = None


class _Sent(NamedTuple):
    """The delivery that a report is about."""

    job_id: str
    recipient: str


def record(database: Database, reports: Sequence[BounceIn]) -> int:
    """Keep reports; returns how many were not known before.

    A report on a message of ours counts for whom that was sent to, whatever address the report names: mailboxes forward. Hard:
    the address is suppressed, and its delivery, which stays sent, says that it bounced. Soft: kept, and nothing more, like those
    on messages that are not known to be ours: anybody can write such a report on anybody.
    """
    unique = sorted({report.digest: report for report in reports}.values(), key=lambda report: report.digest)
    parts = [unique[start : start + BATCH] for start in range(0, len(unique), BATCH)]
    return sum(database.transact(lambda connection, part=part: _record(connection, part)) for part in parts)  # type: ignore[misc]


def ours(database: Database, reports: Sequence[BounceIn]) -> list[BounceIn]:
    """Those that are about messages of ours, each with the job and with whom its message was sent to."""
    with database.read() as connection:
        sent = _deliveries(connection, reports)
    named = [(report, sent.get(_bare(report.message_id))) for report in reports]
    return [
        report if known is None else replace(report, address=known.recipient, job_id=known.job_id)
        for report, known in named
        if known or report.job_id
    ]


def _record(connection: Connection, reports: Sequence[BounceIn]) -> int:
    sent = _deliveries(connection, reports)
    rows = [_row(report, sent.get(_bare(report.message_id))) for report in reports]
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    query = kind.insert(bounces).on_conflict_do_nothing(index_elements=["digest"]).returning(bounces.c.digest)
    fresh = set(connection.execute(query, rows).scalars())
    hard = [(report, row) for report, row in zip(reports, rows, strict=True) if row["digest"] in fresh and _counts(report, row)]
    gone = {str(row["address"]): _suppression(report, row) for report, row in hard}
    enlist(connection, [gone[address] for address in sorted(gone)])
    _mark(connection, [(report, known) for report, _ in hard if (known := sent.get(_bare(report.message_id)))])
    return len(fresh)


def _deliveries(connection: Connection, reports: Sequence[BounceIn]) -> dict[str, _Sent]:
    """The deliveries behind reports, by bare Message-ID: some systems report it without its angle brackets."""
    bare = sorted({_bare(report.message_id) for report in reports} - {""})
    spelled = [text for one in bare for text in (one, f"<{one}>")]
    c = deliveries.c
    query = select(c.message_id, c.job_id, c.recipient).where(c.message_id.in_(spelled)).order_by(c.updated_at)
    found = connection.execute(query).all()  # a message that was sent again keeps its Message-ID: the last one counts
    return {_bare(row.message_id): _Sent(row.job_id, row.recipient) for row in found}


def _bare(message_id: str | None) -> str:
    return (message_id or "").strip().strip("<>")


def _row(report: BounceIn, sent: _Sent | None) -> dict[str, object]:
    row = {**asdict(report), "diagnostic": report.diagnostic[:MAX_TEXT]}
    return row if sent is None else {**row, "job_id": sent.job_id, "address": sent.recipient}


def _counts(report: BounceIn, row: Mapping[str, object]) -> bool:
    return report.kind == BounceKind.HARD and row["job_id"] is not None


def _said(report: BounceIn) -> str:
    status = "" if report.status in report.diagnostic else report.status
    return " ".join(filter(None, (status, report.diagnostic)))[:MAX_TEXT] or "no reason given"


def _suppression(report: BounceIn, row: Mapping[str, object]) -> NewSuppression:
    address, reason = str(row["address"]), f"hard bounce: {_said(report)}"
    return NewSuppression(address, address, reason, SuppressionSource.BOUNCE, str(row["job_id"]))


def _mark(connection: Connection, bounced: Sequence[tuple[BounceIn, _Sent]]) -> None:
    if not bounced:
        return
    c = deliveries.c
    one = update(deliveries).where(c.job_id == bindparam("job"), c.recipient == bindparam("whom"))
    change = one.values(hard=True, error=bindparam("said"), updated_at=now_ms())
    rows = [{"job": row.job_id, "whom": row.recipient, "said": f"bounced: {_said(report)}"} for report, row in bounced]
    connection.execute(change, rows)


def soft_count(database: Database, address: str, since: int = 0) -> int:
    """How many soft bounces of a key are known, from a moment (ms) on."""
    c = bounces.c
    query = select(func.count()).where(c.address == address, c.kind == BounceKind.SOFT, c.at >= since)
    with database.read() as connection:
        return connection.execute(query).scalar_one()


def of(database: Database, address: str, limit: int = 50) -> list[Bounce]:
    """What bounced of a key, newest first."""
    query = select(Bounce).where(bounces.c.address == address).order_by(bounces.c.at.desc(), bounces.c.id.desc()).limit(limit)
    with database.session() as session:
        return list(session.scalars(query))
