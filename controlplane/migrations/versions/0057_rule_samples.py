"""How many samples each evaluation of a rule reads, so that all live rules together are bounded.

Of rules that are live already it is not known until they are changed or enabled again.

Going down loses samples.
"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    samples = sa.Column("samples", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("alerting_rules", samples)
    op.alter_column("alerting_rules", "samples", server_default=None)


def downgrade() -> None:
    op.drop_column("alerting_rules", "samples")
