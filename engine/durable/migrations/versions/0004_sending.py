"""Sending: deliveries, suppressions, bounces, files of jobs, and what paid services cost."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATES = "'queued', 'intent', 'armed', 'sent', 'retry', 'failed', 'in_doubt', 'suppressed'"


def upgrade() -> None:
    """Create the tables of sending."""
    _delivery()
    _suppression()
    _bounce()
    op.create_table(
        "job_file",
        _job(),
        sa.Column("number", sa.Integer(), nullable=False, primary_key=True, autoincrement=False),
        _text("name"),
        _text("content_type"),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
    )
    op.create_index("probe_permit_by_address", "probe_permit", ["address"])
    op.create_table("spending", _job(), *(_number(name) for name in ("requests", "tokens_in", "tokens_out")))


def _job() -> "sa.Column[str]":
    return sa.Column("job_id", sa.String(), sa.ForeignKey("job.id", ondelete="CASCADE"), nullable=False, primary_key=True)


def _serial() -> "sa.Column[int]":
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)


def _text(name: str, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=nullable)


def _bytewise(name: str, primary_key: bool = False) -> "sa.Column[str]":
    kind = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    return sa.Column(name, kind, nullable=False, primary_key=primary_key)


def _number(name: str, nullable: bool = False, kind: type[sa.Integer] = sa.BigInteger) -> "sa.Column[int]":
    return sa.Column(name, kind(), nullable=nullable)


def _delivery() -> None:
    op.create_table(
        "delivery",
        _job(),
        _bytewise("recipient", primary_key=True),
        _number("item"),
        _text("domain"),
        _text("state"),
        _number("attempts", kind=sa.Integer),
        _number("due_at", nullable=True),
        _text("message_id"),
        _number("smtp_code", nullable=True, kind=sa.Integer),
        _text("smtp_reply", nullable=True),
        _text("error", nullable=True),
        sa.Column("hard", sa.Boolean(), nullable=False),
        *(_number(name, nullable=True) for name in ("sent_at", "settled_at")),
        _text("resolution", nullable=True),
        _number("updated_at"),
        sa.CheckConstraint(f"state IN ({_STATES})", name="delivery_state_known"),
        sa.CheckConstraint("state <> 'retry' OR due_at IS NOT NULL", name="retry_has_due_at"),
        sa.CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_has_sent_at"),
    )
    op.create_index("delivery_by_state", "delivery", ["job_id", "state", "due_at"])
    op.create_index("delivery_by_message", "delivery", ["message_id"])
    settled = sa.text("settled_at IS NOT NULL")
    columns = ["job_id", "settled_at", "state", "hard"]
    op.create_index("delivery_settled", "delivery", columns, sqlite_where=settled, postgresql_where=settled)
    op.create_index("delivery_by_domain", "delivery", ["job_id", "domain", "state"])


def _suppression() -> None:
    op.create_table(
        "suppression",
        _bytewise("address", primary_key=True),
        *(_text(name) for name in ("shown", "reason", "source")),
        _text("job_id", nullable=True),
        *(_number(name) for name in ("created_at", "updated_at")),
    )
    op.create_index("suppression_recent", "suppression", ["created_at", "address"])
    op.create_table(
        "suppression_event",
        _serial(),
        _bytewise("address"),
        _number("at"),
        *(_text(name) for name in ("action", "reason", "source")),
        _text("job_id", nullable=True),
        sa.CheckConstraint("action IN ('added', 'removed')", name="suppression_action_known"),
    )
    op.create_index("suppression_event_by_address", "suppression_event", ["address", "id"])


def _bounce() -> None:
    op.create_table(
        "bounce",
        _serial(),
        _text("digest"),
        _bytewise("address"),
        _number("at"),
        *(_text(name) for name in ("kind", "status", "diagnostic")),
        *(_text(name, nullable=True) for name in ("message_id", "job_id")),
        sa.CheckConstraint("kind IN ('hard', 'soft')", name="bounce_kind_known"),
    )
    op.create_index("bounce_by_digest", "bounce", ["digest"], unique=True)
    op.create_index("bounce_by_address", "bounce", ["address", "at"])
