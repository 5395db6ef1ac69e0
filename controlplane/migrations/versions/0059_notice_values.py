"""What was measured, and the threshold, of a notice. Going down loses each `value` and `threshold`."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

COLUMNS = ("value", "threshold")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("notices", sa.Column(column, sa.String, nullable=False, server_default=""))
        op.alter_column("notices", column, server_default=None)


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("notices", column)
