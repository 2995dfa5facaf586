"""What is known of addresses: verdicts, their history, claims and probe permits; and the goal of a job."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of verdicts; give jobs a goal."""
    op.add_column("job", _number("goal", nullable=True))
    _verified_email()
    _verification()
    op.create_table("verdict_claim", _bytewise("address", primary_key=True), _text("owner"), _number("until_ms"))
    op.create_index("verdict_claim_by_owner", "verdict_claim", ["owner"])
    op.create_table(
        "probe_permit",
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id", ondelete="CASCADE"), nullable=False, primary_key=True),
        sa.Column("domain", sa.String(), nullable=False, primary_key=True),
        sa.Column("address", sa.String(), nullable=False, primary_key=True),
    )


def _text(name: str, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(), nullable=nullable)


def _bytewise(name: str, primary_key: bool = False) -> "sa.Column[str]":
    kind = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    return sa.Column(name, kind, nullable=False, primary_key=primary_key)


def _number(name: str, nullable: bool = False, kind: type[sa.Integer] = sa.BigInteger) -> "sa.Column[int]":
    return sa.Column(name, kind(), nullable=nullable)


def _serial() -> "sa.Column[int]":
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)


def _verified_email() -> None:
    op.create_table(
        "verified_email",
        _serial(),
        *(_bytewise(name) for name in ("address", "domain")),
        *(_text(name) for name in ("status", "reason", "level")),
        _number("score", kind=sa.Integer),
        sa.Column("data", sa.JSON(), nullable=False),
        _number("verified_at"),
        _number("count", kind=sa.Integer),
        _text("job_id", nullable=True),
        *(_number(name) for name in ("created_at", "updated_at")),
    )
    op.create_index("verified_email_by_address", "verified_email", ["domain", "address"], unique=True)
    op.create_index("verified_email_recent", "verified_email", ["verified_at", "address", "status", "reason", "level"])


def _verification() -> None:
    op.create_table(
        "verification",
        _serial(),
        sa.Column("email_id", sa.BigInteger(), sa.ForeignKey("verified_email.id", ondelete="CASCADE"), nullable=False),
        _number("at"),
        _text("job_id", nullable=True),
        *(_text(name) for name in ("service", "status", "reason", "level")),
    )
    op.create_index("verification_by_email", "verification", ["email_id", "id"])
