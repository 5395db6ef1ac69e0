"""Polls of devices out of turn: which are wanted, and what the last one told.

Going down loses what polls told.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0061"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moments = ("wanted_at", "begun_at", "at", "told_at")
    op.create_table(
        "device_polls",
        sa.Column("device_id", sa.Uuid, nullable=False),
        sa.Column("trap", sa.String, nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True)) for name in moments),
        sa.Column("report", JSONB),
        sa.PrimaryKeyConstraint("device_id", name="pk_device_polls"),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="fk_device_polls_device_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_device_polls_wanted_at",
        "device_polls",
        ["wanted_at"],
        postgresql_where="wanted_at IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_table("device_polls")
