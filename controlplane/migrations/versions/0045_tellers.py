"""The versions of what tells people, days a window leaves out, and escalations that begin again.

Going down loses each `version` (coming up again, all begin at 1), the `exceptions` of windows, and
how often escalations under way begin again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

VERSIONED = (
    "oncall_schedules",
    "escalation_policies",
    "notification_channels",
    "notification_routes",
)


def upgrade() -> None:
    for table in VERSIONED:
        version = sa.Column("version", sa.Integer, nullable=False, server_default="1")
        op.add_column(table, version)
    exceptions = sa.Column(
        "exceptions", postgresql.ARRAY(sa.Date), nullable=False, server_default="{}"
    )
    op.add_column("maintenance_windows", exceptions)
    repeat = sa.Column("repeat", sa.Integer, nullable=False, server_default="0")
    op.add_column("escalations", repeat)
    pause = sa.Column("repeat_after", sa.Float, nullable=False, server_default="0")
    op.add_column("escalations", pause)


def downgrade() -> None:
    op.drop_column("escalations", "repeat_after")
    op.drop_column("escalations", "repeat")
    op.drop_column("maintenance_windows", "exceptions")
    for table in reversed(VERSIONED):
        op.drop_column(table, "version")
