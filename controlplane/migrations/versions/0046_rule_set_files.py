"""The files of rule sets, so that people see what a revision changed.

Going down loses the files of the revisions in the list; those on the disk of Prometheus stay.
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_set_files",
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_rule_set_files"),
    )


def downgrade() -> None:
    op.drop_table("rule_set_files")
