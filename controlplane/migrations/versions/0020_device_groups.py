"""Device groups: saved filters over the inventory.

Going down loses the groups and the grants for them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0016"
branch_labels = None
depends_on = None

LISTS = ("roles", "vendors", "tags_any", "tags_all")


def upgrade() -> None:
    op.create_table(
        "device_groups",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("site_id", sa.Uuid),
        *(sa.Column(name, sa.ARRAY(sa.String), nullable=False) for name in LISTS),
        sa.Column("pattern", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device_groups"),
        sa.UniqueConstraint("name", name="uq_device_groups_name"),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name="fk_device_groups_site_id", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_device_groups_site_id", "device_groups", ["site_id"])


def downgrade() -> None:
    op.execute("DELETE FROM grants WHERE scope = 'group'")
    op.drop_index("ix_device_groups_site_id", "device_groups")
    op.drop_table("device_groups")
