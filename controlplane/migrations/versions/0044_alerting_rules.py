"""Alerting rules that people write.

Going down loses the rules.
"""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerting_rules",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("expr", sa.String, nullable=False),
        sa.Column("for_seconds", sa.Integer, nullable=False),
        sa.Column("keep_firing_for_seconds", sa.Integer, nullable=False),
        sa.Column("severity", sa.String(32), nullable=False),
        sa.Column("summary", sa.String(200), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("runbook", sa.String, nullable=False),
        sa.Column("site_id", sa.Uuid),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("failure", sa.String, nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerting_rules"),
        sa.UniqueConstraint("name", name="uq_alerting_rules_name"),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name="fk_alerting_rules_site_id", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_alerting_rules_site_id", "alerting_rules", ["site_id"])
    op.create_index("ix_alerting_rules_status", "alerting_rules", ["status"])


def downgrade() -> None:
    op.drop_table("alerting_rules")
