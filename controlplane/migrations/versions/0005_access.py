"""Roles and grants instead of one role per person; a tree of sites, tags on devices.

Going down loses the grants, custom roles, tags, and the tree of sites. Of the grants for everything
each person keeps the one that allows most; who has none becomes a viewer of everything.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Who could do everything that there was keeps that, and may define roles now, too.
GRANTS = """\
INSERT INTO grants (id, user_id, role, scope, value, created_at)
SELECT gen_random_uuid(), id, CASE role WHEN 'admin' THEN 'super_admin' ELSE role END,
       'everything', '', now()
FROM users
"""
ROLES = """\
UPDATE users SET role = (
    SELECT CASE WHEN bool_or(role IN ('super_admin', 'admin')) THEN 'admin'
                WHEN bool_or(role = 'operator') THEN 'operator' ELSE 'viewer' END
    FROM grants WHERE user_id = users.id AND scope = 'everything'
)
"""


def upgrade() -> None:
    op.create_table(
        "roles",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("permissions", sa.JSON, nullable=False),
        sa.Column("mfa_required", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_roles"),
        sa.UniqueConstraint("name", name="uq_roles_name"),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.String(63), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.UniqueConstraint("user_id", "role", "scope", "value", name="uq_grants_user_id"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_grants_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_grants_role", "grants", ["role"])
    op.execute(GRANTS)
    op.drop_column("users", "role")
    op.add_column("sites", sa.Column("parent_id", sa.Uuid))
    op.create_index("ix_sites_parent_id", "sites", ["parent_id"])
    op.create_foreign_key(
        "fk_sites_parent_id", "sites", "sites", ["parent_id"], ["id"], ondelete="RESTRICT"
    )
    op.add_column(
        "devices",
        sa.Column("tags", sa.ARRAY(sa.String), nullable=False, server_default="{}"),
    )
    op.alter_column("devices", "tags", server_default=None)
    op.create_index("ix_devices_tags", "devices", ["tags"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("ix_devices_tags", "devices")
    op.drop_column("devices", "tags")
    op.drop_constraint("fk_sites_parent_id", "sites")
    op.drop_index("ix_sites_parent_id", "sites")
    op.drop_column("sites", "parent_id")
    op.add_column("users", sa.Column("role", sa.String(32), nullable=False, server_default="viewer"))
    op.alter_column("users", "role", server_default=None)
    op.execute(ROLES)
    op.drop_table("grants")
    op.drop_table("roles")
