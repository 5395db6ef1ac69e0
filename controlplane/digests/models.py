"""The tables of channels with a cap: the alerts they heard of, and the messages that told them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class Message(SQLModel, table=True):
    """What a channel is told at once: some alerts as they are, or a digest of many.

    It is over when all of its alerts are, and closed once Alertmanager was told so for long enough.
    `labels` and `annotations` are those of a digest.
    """

    __tablename__ = "digest_messages"
    __table_args__ = (
        Index("ix_digest_messages_channel_id_told_at", "channel_id", "told_at"),
        Index("ix_digest_messages_open", "id", postgresql_where=text("NOT closed")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    channel_id: UUID = Field(foreign_key="notification_channels.id", ondelete="CASCADE")
    digest: bool = False
    labels: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    annotations: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    told_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed: bool = False


class Heard(SQLModel, table=True):
    """An alert that a channel heard of, to its end; it is held while no message tells it."""

    __tablename__ = "digest_alerts"
    __table_args__ = (
        UniqueConstraint("channel_id", "fingerprint", "starts_at"),
        Index(
            "uq_digest_alerts_open",
            *("channel_id", "fingerprint"),
            unique=True,
            postgresql_where=text("over_at IS NULL"),
        ),
        Index("ix_digest_alerts_held", "channel_id", postgresql_where=text("message_id IS NULL")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    channel_id: UUID = Field(foreign_key="notification_channels.id", ondelete="CASCADE")
    message_id: UUID | None = Field(
        default=None, foreign_key="digest_messages.id", ondelete="CASCADE", index=True
    )
    fingerprint: str = Field(max_length=64)
    labels: dict[str, str] = Field(sa_type=JSONB)
    annotations: dict[str, str] = Field(sa_type=JSONB)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    heard_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
