"""The first tables: jobs, chunks, batch states, timeline, engines, throughput, secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_CHECKS = {
    "status_known": "status IN ('cancelled', 'completed', 'failed', 'paused', 'pending', 'running')",
    "ended_has_completed_at": "(status IN ('cancelled', 'completed', 'failed')) = (completed_at IS NOT NULL)",
    "running_has_started_at": "status NOT IN ('running', 'completed') OR started_at IS NOT NULL",
    "held_only_while_running": "engine_id IS NULL OR status = 'running'",
    "held_has_lease": "(engine_id IS NULL) = (lease_until IS NULL)",
    "parked_only_while_running": "wake_at IS NULL OR (status = 'running' AND engine_id IS NULL)",
    "failed_has_message": "status <> 'failed' OR error_message IS NOT NULL",
    "counts_add_up": "processed_items = success_count + failed_count AND processed_items <= total_items",
}
_INDEXES = {
    "job_recent": ["created_at", "id"],
    "job_by_status": ["status", "created_at", "id"],
    "job_by_type": ["type", "created_at", "id"],
    "job_by_type_status": ["type", "status"],
    "job_by_user": ["user_id", "created_at", "id"],
    "job_by_engine": ["engine_id"],
    "job_by_source": ["source_job_id"],
}


def upgrade() -> None:
    """Create every table."""
    _job()
    _job_parts()
    _engine()


def _text(name: str, nullable: bool = False, primary_key: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=nullable, primary_key=primary_key)


def _number(name: str, nullable: bool = False, kind: type[sa.Integer] = sa.BigInteger) -> "sa.Column[int]":
    return sa.Column(name, kind(), nullable=nullable)


def _job_id(primary_key: bool = True) -> "sa.Column[str]":
    return sa.Column("job_id", sa.String(), sa.ForeignKey("job.id", ondelete="CASCADE"), nullable=False, primary_key=primary_key)


def _job() -> None:
    op.create_table(
        "job",
        _text("id", primary_key=True),
        _text("type"),
        _text("status"),
        sa.Column("params", sa.JSON(), nullable=False),
        _text("user_id", nullable=True),
        _number("created_at"),
        _number("updated_at"),
        *(_number(name, nullable=True) for name in ("started_at", "completed_at", "run_after", "wake_at")),
        _number("total_items"),
        _number("batch_size", kind=sa.Integer),
        *(_number(name) for name in ("processed_items", "success_count", "failed_count")),
        _number("batches_done", kind=sa.Integer),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("counts", "tallies", "history")),
        sa.Column("rate", sa.Float(), nullable=True),
        _number("revision"),
        _number("lease"),
        _text("engine_id", nullable=True),
        _number("lease_until", nullable=True),
        _number("crashes", kind=sa.Integer),
        *(_text(name, nullable=True) for name in ("error_message", "source_job_id", "source_where")),
        *(_text(name, nullable=True) for name in ("idempotency_key", "request_digest")),
        sa.Column("compacted", sa.Boolean(), nullable=False),
        *(sa.CheckConstraint(sql, name=name) for name, sql in _CHECKS.items()),
    )
    for name, columns in _INDEXES.items():
        op.create_index(name, "job", columns)
    op.create_index("job_by_key", "job", ["idempotency_key"], unique=True)


def _job_parts() -> None:
    op.create_table(
        "chunk",
        _job_id(),
        _text("stream", primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        *(_number(name, kind=sa.Integer) for name in ("last", "row_count")),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("last >= number AND row_count >= 0", name="chunk_range"),
    )
    op.create_table(
        "batch_state",
        _job_id(),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        _number("due_at", nullable=True),
        sa.Column("state", sa.JSON(), nullable=True),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), primary_key=True),
        _job_id(primary_key=False),
        _number("at"),
        _text("from_status", nullable=True),
        *(_text(name) for name in ("to_status", "reason")),
        _text("engine_id", nullable=True),
    )
    op.create_index("ix_event_job_id", "event", ["job_id"])
    op.create_table(
        "secret",
        _job_id(),
        _text("name", primary_key=True),
        sa.Column("token", sa.LargeBinary(), nullable=False),
    )


def _engine() -> None:
    op.create_table(
        "engine",
        _text("id", primary_key=True),
        *(_text(name) for name in ("host", "hostname", "version")),
        *(_number(name) for name in ("born", "started_at", "heartbeat_at")),
        *(_number(name, kind=sa.Integer) for name in ("pid", "jobs")),
        _number("stopped_at", nullable=True),
    )
    op.create_table(
        "throughput",
        sa.Column("slot", sa.BigInteger(), primary_key=True, autoincrement=False),
        _text("type", primary_key=True),
        _text("engine_id", primary_key=True),
        _number("item_count"),
    )
