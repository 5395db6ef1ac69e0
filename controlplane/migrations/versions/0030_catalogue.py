"""The catalogue: device types, platforms, tenants, and what devices say with them.

Going down loses all of it, but not the devices themselves.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0026"
branch_labels = None
depends_on = None

TABLES = {
    "device_types": ("manufacturer", "model", "part_number"),
    "platforms": ("manufacturer",),
    "tenants": (),
}
REFERENCES = {
    "device_type_id": "device_types",
    "platform_id": "platforms",
    "tenant_id": "tenants",
}
TEXTS = {"description": sa.String(), "serial": sa.String(64), "asset_tag": sa.String(64)}


def upgrade() -> None:
    for table, texts in TABLES.items():
        op.create_table(
            table,
            sa.Column("id", sa.Uuid, nullable=False),
            sa.Column("name", sa.String(63), nullable=False),
            sa.Column("description", sa.String, nullable=False),
            *(sa.Column(text, sa.String(64), nullable=False) for text in texts),
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
            sa.UniqueConstraint("name", name=f"uq_{table}_name"),
        )
    op.add_column("platforms", sa.Column("profile", sa.String(63)))
    for text, kind in TEXTS.items():
        op.add_column("devices", sa.Column(text, kind, nullable=False, server_default=""))
        op.alter_column("devices", text, server_default=None)
    for column, table in REFERENCES.items():
        op.add_column("devices", sa.Column(column, sa.Uuid))
        op.create_index(f"ix_devices_{column}", "devices", [column])
        name = f"fk_devices_{column}"
        op.create_foreign_key(name, "devices", table, [column], ["id"], ondelete="RESTRICT")


def downgrade() -> None:
    for column in (*REFERENCES, *TEXTS):
        op.drop_column("devices", column)
    for table in TABLES:
        op.drop_table(table)
