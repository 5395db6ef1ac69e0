"""Caps of channels, what a channel with one heard of, and the messages that told it.

Going down loses cap, digest_messages and digest_alerts.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
CHANNELS, MESSAGES, ALERTS = "notification_channels", "digest_messages", "digest_alerts"


def upgrade() -> None:
    op.add_column(CHANNELS, sa.Column("cap", JSONB, nullable=True))
    op.create_table(
        MESSAGES,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("channel_id", sa.Uuid, nullable=False),
        sa.Column("digest", sa.Boolean, nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("annotations", JSONB, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("over_at", MOMENT, nullable=True),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_digest_messages"),
        _of(MESSAGES, "channel_id", CHANNELS),
    )
    op.create_index("ix_digest_messages_channel_id_told_at", MESSAGES, ["channel_id", "told_at"])
    op.create_index(
        "ix_digest_messages_open", MESSAGES, ["id"], postgresql_where=sa.text("NOT closed")
    )
    _alerts()


def _alerts() -> None:
    op.create_table(
        ALERTS,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("channel_id", sa.Uuid, nullable=False),
        sa.Column("message_id", sa.Uuid, nullable=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("annotations", JSONB, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("heard_at", MOMENT, nullable=False),
        sa.Column("over_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_digest_alerts"),
        sa.UniqueConstraint(
            *("channel_id", "fingerprint", "starts_at"), name="uq_digest_alerts_channel_id"
        ),
        _of(ALERTS, "channel_id", CHANNELS),
        _of(ALERTS, "message_id", MESSAGES),
    )
    op.create_index("ix_digest_alerts_message_id", ALERTS, ["message_id"])
    op.create_index(
        "uq_digest_alerts_open",
        ALERTS,
        ["channel_id", "fingerprint"],
        unique=True,
        postgresql_where=sa.text("over_at IS NULL"),
    )
    op.create_index(
        "ix_digest_alerts_held",
        ALERTS,
        ["channel_id"],
        postgresql_where=sa.text("message_id IS NULL"),
    )


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    op.drop_table(ALERTS)
    op.drop_table(MESSAGES)
    op.drop_column(CHANNELS, "cap")
