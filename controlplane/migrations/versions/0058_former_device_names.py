"""Names that devices gave up, and of alerts and notices the device that had the name.

What there is goes to the device that has the name now. Going down loses the former names and each
`device_id`: what was told of a device is again of whichever has its name.
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

TOLD = ("alerts", "notices")


def upgrade() -> None:
    op.create_table(
        "former_device_names",
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("name", "until", name="pk_former_device_names"),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name="fk_former_device_names_device_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_former_device_names_device_id", "former_device_names", ["device_id"])
    for table in TOLD:
        op.add_column(table, sa.Column("device_id", sa.Uuid))
        op.execute(
            f"UPDATE {table} SET device_id = devices.id FROM devices"  # noqa: S608 - a name of ours
            f" WHERE devices.name = {table}.device"
        )
        op.create_index(f"ix_{table}_device_id", table, ["device_id"])


def downgrade() -> None:
    for table in TOLD:
        op.drop_index(f"ix_{table}_device_id", table)
        op.drop_column(table, "device_id")
    op.drop_table("former_device_names")
