"""What operators changed about shipped alerts.

Going down loses it: every alert is as it is shipped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_changes",
        sa.Column("alert", sa.String(64), nullable=False),
        sa.Column("for_seconds", sa.Integer, nullable=True),
        sa.Column("keep_firing_for_seconds", sa.Integer, nullable=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("alert", name="pk_alert_changes"),
    )


def downgrade() -> None:
    op.drop_table("alert_changes")
