"""Rate limits, counted for all replicas.

Going down loses the counts of requests.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_limits"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_rate_limits_busy_until", "rate_limits", ["busy_until"])


def downgrade() -> None:
    op.drop_index("ix_rate_limits_busy_until", table_name="rate_limits")
    op.drop_table("rate_limits")
