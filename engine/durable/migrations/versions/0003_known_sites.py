"""What crawls found: one row per website."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of known sites."""
    bytewise = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "known_site",
        sa.Column("domain", bytewise, nullable=False, primary_key=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("status", "error")),
        sa.Column("seen", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("pages", "page_limit")),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("created_at", "updated_at")),
    )
