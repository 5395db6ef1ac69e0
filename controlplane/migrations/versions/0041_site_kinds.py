"""Kinds of sites: regions hold sites, and sites hold locations.

Going down loses the kind: all are sites.
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.Column("kind", sa.String(32), nullable=False, server_default="site")
    op.add_column("sites", kind)
    op.alter_column("sites", "kind", server_default=None)


def downgrade() -> None:
    op.drop_column("sites", "kind")
