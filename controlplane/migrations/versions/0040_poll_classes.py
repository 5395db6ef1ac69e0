"""Poll classes: how often devices are asked.

Going down loses the poll_classes and which one a device is of, poll_class_id.
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "poll_classes",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("interval", sa.Float, nullable=False),
        sa.Column("timeout", sa.Float),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_poll_classes"),
        sa.UniqueConstraint("name", name="uq_poll_classes_name"),
    )
    op.add_column("devices", sa.Column("poll_class_id", sa.Uuid))
    op.create_index("ix_devices_poll_class_id", "devices", ["poll_class_id"])
    op.create_foreign_key(
        "fk_devices_poll_class_id",
        "devices",
        "poll_classes",
        ["poll_class_id"],
        ["id"],
        ondelete="RESTRICT",
    )


def downgrade() -> None:
    op.drop_column("devices", "poll_class_id")
    op.drop_table("poll_classes")
