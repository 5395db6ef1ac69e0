"""What devices say of themselves, and how it has changed.

Going down loses what devices said and its history.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FACTS = ("vendor", "model", "os_version", "serial", "profile")


def upgrade() -> None:
    op.create_table(
        "device_facts",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.String(255), nullable=False) for name in FACTS),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name="pk_device_facts"),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="fk_device_facts_device_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "device_fact_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("field", sa.String(32), nullable=False),
        sa.Column("before", sa.String(255), nullable=False),
        sa.Column("after", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device_fact_changes"),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name="fk_device_fact_changes_device_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_device_fact_changes_device_id", "device_fact_changes", ["device_id"])


def downgrade() -> None:
    op.drop_index("ix_device_fact_changes_device_id", table_name="device_fact_changes")
    op.drop_table("device_fact_changes")
    op.drop_table("device_facts")
