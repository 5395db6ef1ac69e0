"""Custom fields of devices and sites.

Going down loses them and all of their values, custom_fields.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "custom_fields",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("applies_to", sa.String(32), nullable=False),
        sa.Column("value_schema", JSONB, nullable=False),
        sa.Column("required", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_custom_fields"),
        sa.UniqueConstraint("name", name="uq_custom_fields_name"),
    )
    for table in ("sites", "devices"):
        column = sa.Column("custom_fields", JSONB, nullable=False, server_default="{}")
        op.add_column(table, column)
        op.alter_column(table, "custom_fields", server_default=None)


def downgrade() -> None:
    for table in ("sites", "devices"):
        op.drop_column(table, "custom_fields")
    op.drop_table("custom_fields")
