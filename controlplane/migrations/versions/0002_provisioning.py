"""The job queue, and the history of rule sets.

Going down loses the jobs that wait in the queue, and the history of rule sets.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule_revisions"),
    )
    op.create_index("ix_rule_revisions_revision", "rule_revisions", ["revision"])
    # The queue's own objects, of the version that uv.lock pins, in a schema of their own.
    op.execute("CREATE SCHEMA queue")
    op.execute("SET LOCAL search_path TO queue")
    with op.get_bind().connection.cursor() as cursor:  # several statements at once
        cursor.execute(SchemaManager.get_schema())
    op.execute("SET LOCAL search_path TO DEFAULT")


def downgrade() -> None:
    op.execute("DROP SCHEMA queue CASCADE")
    op.drop_index("ix_rule_revisions_revision", table_name="rule_revisions")
    op.drop_table("rule_revisions")
