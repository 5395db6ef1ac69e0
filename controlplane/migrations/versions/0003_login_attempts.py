"""Attempts to log in, counted for all replicas.

Going down loses the counts of attempts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("key", name="pk_login_attempts"),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_login_attempts_free_at", "login_attempts", ["free_at"])


def downgrade() -> None:
    op.drop_index("ix_login_attempts_free_at", table_name="login_attempts")
    op.drop_table("login_attempts")
