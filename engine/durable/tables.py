"""The tables. Moments are milliseconds since 1970 UTC; every row of a job goes when the job goes."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, String, Table
from sqlmodel import Field, SQLModel

from engine.durable.states import CHECKS, Status


def _ms(nullable: bool = True) -> Any:
    return Field(default=None, sa_column=Column(BigInteger, nullable=nullable))


def _json(default: type) -> Any:
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def _big() -> Any:
    return Field(default=0, sa_column=Column(BigInteger, nullable=False))


def _serial() -> Any:
    """A key that the database counts up; on SQLite only INTEGER does that."""
    return Field(default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True))


def _bytewise(primary_key: bool = False) -> Any:
    """Text ordered by its bytes on every database: prefixes are ranges of the index, and all sort alike."""
    kind = String().with_variant(String(collation="C"), "postgresql")
    return Field(sa_column=Column(kind, nullable=False, primary_key=primary_key))


def _job_id(primary_key: bool = False) -> Any:
    return Field(
        sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=primary_key, nullable=False, index=not primary_key)
    )


class Job(SQLModel, table=True):
    """A job: what was asked, how far it is, who holds it."""

    __tablename__ = "job"
    __table_args__ = (
        *(CheckConstraint(sql, name=name) for name, sql in CHECKS.items()),
        Index("job_recent", "created_at", "id"),
        Index("job_by_status", "status", "created_at", "id"),
        Index("job_by_type", "type", "created_at", "id"),
        Index("job_by_type_status", "type", "status"),
        Index("job_by_user", "user_id", "created_at", "id"),
        Index("job_by_engine", "engine_id"),
        Index("job_by_source", "source_job_id"),
        Index("job_by_key", "idempotency_key", unique=True),
    )

    id: str = Field(primary_key=True)
    type: str
    status: str = Status.PENDING
    params: dict[str, Any] = _json(dict)
    user_id: str | None = None
    created_at: int = _ms(nullable=False)
    updated_at: int = _ms(nullable=False)
    started_at: int | None = _ms()
    completed_at: int | None = _ms()
    run_after: int | None = _ms()
    wake_at: int | None = _ms()
    total_items: int = _big()
    batch_size: int = 1
    processed_items: int = _big()
    success_count: int = _big()
    failed_count: int = _big()
    batches_done: int = 0
    counts: dict[str, int] = _json(dict)
    tallies: dict[str, dict[str, int]] = _json(dict)
    history: list[list[int]] = _json(list)
    rate: float | None = None
    revision: int = _big()
    lease: int = _big()
    engine_id: str | None = None
    lease_until: int | None = _ms()
    crashes: int = 0
    error_message: str | None = None
    source_job_id: str | None = None
    source_where: str | None = None
    idempotency_key: str | None = None
    request_digest: str | None = None
    compacted: bool = False
    goal: int | None = _ms()

    @property
    def batches(self) -> int:
        """How many batches the plan has."""
        return -(-self.total_items // self.batch_size)

    @property
    def ended(self) -> bool:
        """Whether the job has come to its end (it may still be resumed unless it completed)."""
        return self.completed_at is not None

    @property
    def progress(self) -> float:
        """Percent of items processed, 0 to 100; 100 only when all are."""
        if self.status == Status.COMPLETED:
            return 100.0
        if self.total_items == 0:
            return 0.0
        share = self.processed_items / self.total_items
        if self.goal:
            share = max(share, self.success_count / self.goal)
        return int(1000 * min(1.0, share)) / 10

    @property
    def eta_seconds(self) -> float | None:
        """Seconds left at the present rate; None when the job is not moving."""
        if self.status != Status.RUNNING or not self.rate:
            return None
        left = float(self.total_items - self.processed_items)
        if self.goal and self.success_count:
            left = min(left, (self.goal - self.success_count) * self.processed_items / self.success_count)
        return round(max(0.0, left) / self.rate, 1)


class Chunk(SQLModel, table=True):
    """The rows of batches `number` to `last` as an Arrow IPC stream. A batch is done exactly when a chunk covers it."""

    __tablename__ = "chunk"
    __table_args__ = (CheckConstraint("last >= number AND row_count >= 0", name="chunk_range"),)

    job_id: str = Field(sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    stream: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    last: int
    row_count: int
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BatchState(SQLModel, table=True):
    """What an unfinished batch keeps: a saved cursor, and the moment it is due when it is parked."""

    __tablename__ = "batch_state"

    job_id: str = Field(sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    number: int = Field(primary_key=True)
    due_at: int | None = _ms()
    state: Any = Field(default=None, sa_column=Column(JSON, nullable=True))


class Event(SQLModel, table=True):
    """One line of a job's timeline."""

    __tablename__ = "event"

    id: int | None = Field(default=None, primary_key=True)
    job_id: str = _job_id()
    at: int = _ms(nullable=False)
    from_status: str | None = None
    to_status: str
    reason: str
    engine_id: str | None = None


class EngineRecord(SQLModel, table=True):
    """An engine process, by its heartbeat. `host` names machine, boot and process namespace; `born` tells a reused pid."""

    __tablename__ = "engine"

    id: str = Field(primary_key=True)
    host: str
    hostname: str
    pid: int
    born: int = _big()
    version: str
    started_at: int = _ms(nullable=False)
    heartbeat_at: int = _ms(nullable=False)
    stopped_at: int | None = _ms()
    jobs: int = 0


class Throughput(SQLModel, table=True):
    """Items committed in a ten-second slot, by job type and engine."""

    __tablename__ = "throughput"

    slot: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    type: str = Field(primary_key=True)
    engine_id: str = Field(primary_key=True)
    item_count: int = _big()


class Secret(SQLModel, table=True):
    """An encrypted value that a job needs while it lives."""

    __tablename__ = "secret"

    job_id: str = Field(sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    name: str = Field(primary_key=True)
    token: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class VerifiedEmail(SQLModel, table=True):
    """What is known of an address: the last verdict, and how often it was verified. It outlives the jobs."""

    __tablename__ = "verified_email"
    __table_args__ = (
        Index("verified_email_by_address", "domain", "address", unique=True),
        Index("verified_email_recent", "verified_at", "address", "status", "reason", "level"),
    )

    id: int | None = _serial()
    address: str = _bytewise()
    domain: str = _bytewise()
    status: str
    reason: str
    level: str
    score: int
    data: dict[str, Any] = _json(dict)
    verified_at: int = _ms(nullable=False)
    count: int = 1
    job_id: str | None = None
    created_at: int = _ms(nullable=False)
    updated_at: int = _ms(nullable=False)


class Verification(SQLModel, table=True):
    """One line of an address's history; the job may be gone since."""

    __tablename__ = "verification"
    __table_args__ = (Index("verification_by_email", "email_id", "id"),)

    id: int | None = _serial()
    email_id: int = Field(sa_column=Column(BigInteger, ForeignKey("verified_email.id", ondelete="CASCADE"), nullable=False))
    at: int = _ms(nullable=False)
    job_id: str | None = None
    service: str
    status: str
    reason: str
    level: str


class VerdictClaim(SQLModel, table=True):
    """Somebody is finding out about this address until then; everybody else waits."""

    __tablename__ = "verdict_claim"
    __table_args__ = (Index("verdict_claim_by_owner", "owner"),)

    address: str = _bytewise(primary_key=True)
    owner: str
    until_ms: int = _ms(nullable=False)


class ProbePermit(SQLModel, table=True):
    """This job may ask about this synthetic address; counted per domain. It marks the address as one that is no example."""

    __tablename__ = "probe_permit"
    __table_args__ = (Index("probe_permit_by_address", "address"),)

    job_id: str = Field(sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True))
    domain: str = Field(primary_key=True)
    address: str = Field(primary_key=True)


class KnownSite(SQLModel, table=True):
    """What the last crawl of a website found; `seen` are its addresses, each as an object. It outlives the jobs."""

    __tablename__ = "known_site"

    domain: str = _bytewise(primary_key=True)
    status: str
    error: str = ""
    seen: list[dict[str, Any]] = _json(list)
    pages: int = 0
    page_limit: int = 0
    checked_at: int = _ms(nullable=False)
    job_id: str | None = None
    created_at: int = _ms(nullable=False)
    updated_at: int = _ms(nullable=False)


def _table(model: type[SQLModel]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


jobs = _table(Job)
chunks = _table(Chunk)
batch_states = _table(BatchState)
events = _table(Event)
engines = _table(EngineRecord)
throughput = _table(Throughput)
secrets = _table(Secret)
verified_emails = _table(VerifiedEmail)
verifications = _table(Verification)
verdict_claims = _table(VerdictClaim)
probe_permits = _table(ProbePermit)
known_sites = _table(KnownSite)
