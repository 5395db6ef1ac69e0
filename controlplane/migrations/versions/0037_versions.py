"""The versions of credentials, roles and grants.

Going down loses each `revision` and `version`; coming up again, all begin at 1.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

COUNTS = (
    ("credentials", "revision"),  # `version` is that of SNMP
    ("roles", "version"),
    ("grants", "version"),
)


def upgrade() -> None:
    for table, column in COUNTS:
        op.add_column(table, sa.Column(column, sa.Integer, nullable=False, server_default="1"))


def downgrade() -> None:
    for table, column in reversed(COUNTS):
        op.drop_column(table, column)
