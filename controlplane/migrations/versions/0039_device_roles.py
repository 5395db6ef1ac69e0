"""Roles of devices as objects of the catalogue.

Texts become names: `Core Switch` is `core-switch` from now on, and the role has the text as its
description. Groups ask for the name; routes and escalations for both. Going down loses the
device_roles, but not which one a device has: its name becomes the text again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# As the importers make names (transfer/sources/names.py); of what has no letter, the text itself.
PLAIN = "regexp_replace(lower(role), '[^a-z0-9._-]+', '-', 'g')"
NAME = f"left(regexp_replace({PLAIN}, '^[._-]+|-+$', '', 'g'), 63)"
ASKED = f"coalesce(nullif({NAME}, ''), role)"

MAKE = f"""
INSERT INTO device_roles (id, name, description, colour, version, created_at, updated_at)
SELECT gen_random_uuid(), name, CASE WHEN min(role) = name THEN '' ELSE min(role) END, '', 1,
       now(), now()
FROM (SELECT role, {NAME} AS name FROM devices) AS named WHERE name <> '' GROUP BY name
"""
REFER = f"UPDATE devices SET role = nullif({NAME}, '')"
HOLD = f"UPDATE device_groups SET roles = ARRAY(SELECT DISTINCT {ASKED} FROM unnest(roles) AS role)"
MATCH = f"""
UPDATE {{table}} SET options = jsonb_set(options, '{{{{roles}}}}', (
    SELECT coalesce(jsonb_agg(DISTINCT text), '[]')
    FROM jsonb_array_elements_text(options -> 'roles') AS role,
         LATERAL unnest(ARRAY[role, {ASKED}]) AS text
)) WHERE jsonb_typeof(options -> 'roles') = 'array'
"""
MATCHING = ("notification_routes", "escalation_policies")


def upgrade() -> None:
    op.create_table(
        "device_roles",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("colour", sa.String(7), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device_roles"),
        sa.UniqueConstraint("name", name="uq_device_roles_name"),
    )
    op.alter_column("devices", "role", nullable=True)
    for statement in (MAKE, REFER, HOLD, *(MATCH.format(table=table) for table in MATCHING)):
        op.execute(statement)
    op.alter_column("devices", "role", type_=sa.String(63))
    op.create_index("ix_devices_role", "devices", ["role"])
    op.create_foreign_key(
        "fk_devices_role", "devices", "device_roles", ["role"], ["name"], ondelete="RESTRICT"
    )


def downgrade() -> None:
    op.drop_constraint("fk_devices_role", "devices")
    op.drop_index("ix_devices_role", "devices")
    op.execute("UPDATE devices SET role = '' WHERE role IS NULL")
    op.alter_column("devices", "role", type_=sa.String(64), nullable=False)
    op.drop_table("device_roles")
