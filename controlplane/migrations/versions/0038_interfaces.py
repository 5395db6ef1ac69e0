"""Interfaces of devices: what they tell of them, what operators say of them, and what changed.

Going down loses all of it; what devices tell is learned anew after coming up again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "interfaces",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("device", sa.String(63), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("alias", sa.String(255), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("speed", sa.BigInteger, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("admin_status", sa.String(32), nullable=False),
        sa.Column("oper_status", sa.String(32), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True)),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("importance", sa.String(32), nullable=False),
        sa.Column("monitored", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interfaces"),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.name"],
            name="fk_interfaces_device",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
    )
    op.create_index("ix_interfaces_device", "interfaces", ["device", "name"], unique=True)
    op.create_index("ix_interfaces_name", "interfaces", ["name", "id"])
    op.create_index(
        "ix_interfaces_decided",
        "interfaces",
        ["device"],
        postgresql_where=sa.text("monitored <> 'auto'"),
    )
    op.create_index(
        "ix_interfaces_gone",
        "interfaces",
        ["device", "gone_at"],
        postgresql_where=sa.text("gone_at IS NOT NULL"),
    )
    op.create_table(
        "interface_changes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("interface_id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("field", sa.String(32), nullable=False),
        sa.Column("before", sa.String(255), nullable=False),
        sa.Column("after", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interface_changes"),
        sa.ForeignKeyConstraint(
            ["interface_id"],
            ["interfaces.id"],
            name="fk_interface_changes_interface_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_interface_changes_interface_id", "interface_changes", ["interface_id"])


def downgrade() -> None:
    op.drop_index("ix_interface_changes_interface_id", "interface_changes")
    op.drop_table("interface_changes")
    for index in ("gone", "decided", "name", "device"):
        op.drop_index(f"ix_interfaces_{index}", "interfaces")
    op.drop_table("interfaces")
