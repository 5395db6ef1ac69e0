"""Contacts of sites and devices.

Going down loses them, and whom each site and each device names.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

TEXTS = {"full_name": 64, "email": 254, "phone": 32, "team": 64}


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        *(sa.Column(text, sa.String(length), nullable=False) for text, length in TEXTS.items()),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        sa.UniqueConstraint("name", name="uq_contacts_name"),
    )
    for table in ("sites", "devices"):
        column = sa.Column("contacts", ARRAY(sa.String), nullable=False, server_default="{}")
        op.add_column(table, column)
        op.alter_column(table, "contacts", server_default=None)


def downgrade() -> None:
    for table in ("sites", "devices"):
        op.drop_column(table, "contacts")
    op.drop_table("contacts")
