"""Registered exporters, and what Prometheus was given last.

Going down loses both.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "exporters",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("address", sa.String(261), nullable=False),
        sa.Column("site_id", sa.Uuid),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False),
        moment("created_at"),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_exporters"),
        sa.UniqueConstraint("name", name="uq_exporters_name"),
        sa.UniqueConstraint("address", name="uq_exporters_address"),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name="fk_exporters_site_id", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_exporters_site_id", "exporters", ["site_id"])
    op.create_table(
        "served_targets",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("devices", sa.ARRAY(sa.String), nullable=False),
        moment("taken_at", nullable=True),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("least", sa.Integer),
        moment("allowed_until", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_served_targets"),
    )


def downgrade() -> None:
    op.drop_table("served_targets")
    op.drop_index("ix_exporters_site_id", "exporters")
    op.drop_table("exporters")
