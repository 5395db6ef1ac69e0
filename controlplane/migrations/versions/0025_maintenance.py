"""Maintenance windows, and what each of them is about.

Going down loses the windows.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0021"
branch_labels = None
depends_on = None


def moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def about(table: str, column: str, target: str) -> None:
    op.create_table(
        table,
        sa.Column("window_id", sa.Uuid, nullable=False),
        sa.Column(column, sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("window_id", column, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["window_id"],
            ["maintenance_windows.id"],
            name=f"fk_{table}_window_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            [column], [target], name=f"fk_{table}_{column}", ondelete="CASCADE"
        ),
    )
    op.create_index(f"ix_{table}_{column}", table, [column])


def upgrade() -> None:
    op.create_table(
        "maintenance_windows",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("starts_at", sa.DateTime, nullable=False),
        sa.Column("duration_seconds", sa.Integer, nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("recurrence", sa.String(500), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.String), nullable=False),
        sa.Column("dependants", sa.Boolean, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        moment("created_at"),
        moment("updated_at"),
        moment("cancelled_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_maintenance_windows"),
    )
    op.create_index(
        "uq_maintenance_windows_name",
        "maintenance_windows",
        ["name"],
        unique=True,
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )
    about("maintenance_window_devices", "device_id", "devices.id")
    about("maintenance_window_sites", "site_id", "sites.id")


def downgrade() -> None:
    op.drop_table("maintenance_window_sites")
    op.drop_table("maintenance_window_devices")
    op.drop_table("maintenance_windows")
