"""Events: the traps that devices sent.

Going down loses the events.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def column(name: str, kind: object) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid, primary_key=True),
        column("at", sa.DateTime(timezone=True)),
        column("device", sa.String),
        column("source", sa.String),
        column("trap", sa.String),
        column("oid", sa.String),
        column("severity", sa.String),
        column("text", sa.String),
        column("varbinds", JSONB),
        column("received_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_events_at", "events", ["at"])
    op.create_index("ix_events_received_at", "events", ["received_at"])
    op.create_index("ix_events_device_at", "events", ["device", "at"])


def downgrade() -> None:
    op.drop_table("events")
