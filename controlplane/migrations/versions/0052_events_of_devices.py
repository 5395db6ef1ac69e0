"""Which device an event is of, also when another takes its name.

Events from before are of none: only those who see all devices see them. Going down loses whose the
events are, device_id.
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("device_id", sa.Uuid))
    op.create_index("ix_events_device_id_at", "events", ["device_id", "at"])


def downgrade() -> None:
    op.drop_index("ix_events_device_id_at", "events")
    op.drop_column("events", "device_id")
