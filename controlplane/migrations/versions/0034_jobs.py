"""Jobs: long work that a worker does.

Going down loses the jobs, with their results.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def column(name: str, kind: object) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True))


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, primary_key=True),
        column("kind", sa.String(63)),
        column("status", sa.String(32)),
        column("done", sa.Integer),
        sa.Column("total", sa.Integer),
        column("options", JSONB),
        sa.Column("result", JSONB),
        sa.Column("problem", JSONB),
        column("actor_kind", sa.String(32)),
        column("actor_id", sa.Uuid),
        column("actor_name", sa.String(255)),
        column("address", sa.String),
        column("request_id", sa.String),
        column("permissions", JSONB),
        column("attempt", sa.Integer),
        column("cancelling", sa.Boolean),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        moment("started_at"),
        moment("seen_at"),
        moment("finished_at"),
        column("key_version", sa.Integer),
        column("data_key", sa.LargeBinary),
        sa.Column("content", sa.LargeBinary),
    )
    op.create_index("ix_jobs_status", "jobs", ["status"])


def downgrade() -> None:
    op.drop_table("jobs")
