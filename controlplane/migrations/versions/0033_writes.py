"""The versions of sites, and the answers kept for clients that ask again.

Going down loses both; coming up again, every site begins at version 1.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLE = "kept_answers"


def column(name: str, kind: object) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.add_column("sites", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.alter_column("sites", "version", server_default=None)
    op.create_table(
        TABLE,
        column("key", sa.String(64)),
        column("actor", sa.String(64)),
        column("fingerprint", sa.String(64)),
        column("status", sa.Integer),
        column("headers", sa.JSON),
        column("body", sa.LargeBinary),
        column("size", sa.Integer),
        column("created_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("key", name=f"pk_{TABLE}"),
    )
    op.create_index(f"ix_{TABLE}_actor", TABLE, ["actor"])
    op.create_index(f"ix_{TABLE}_created_at", TABLE, ["created_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
    op.drop_column("sites", "version")
