"""The tables of channels, of routes to them, of what was deployed, and of people's inboxes."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words


class Channel(SQLModel, table=True):
    """A way to tell somebody; `sealed` is the JSON of its secret settings under `data_key`."""

    __tablename__ = "notification_channels"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    send_resolved: bool = True
    cap: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))  # caps.Cap
    options: dict[str, Any] = Field(sa_type=JSONB)  # the settings that may be seen, with `kind`
    secret_names: list[str] = Field(sa_type=JSONB)
    key_version: int
    data_key: bytes = Field(repr=False)
    sealed: bytes = Field(repr=False)
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Route(SQLModel, table=True):
    """Which alerts go to which channels, and when; the rest of it is checked JSON (schemas)."""

    __tablename__ = "notification_routes"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    position: int
    built_in: list[str] = Field(sa_type=JSONB)  # channels of the installation that it tells
    options: dict[str, Any] = Field(sa_type=JSONB)
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class RouteChannel(SQLModel, table=True):
    """A channel that a route tells."""

    __tablename__ = "notification_route_channels"

    route_id: UUID = Field(
        foreign_key="notification_routes.id", primary_key=True, ondelete="CASCADE"
    )
    channel_id: UUID = Field(
        foreign_key="notification_channels.id", primary_key=True, ondelete="RESTRICT"
    )


class RoutingStatus(StrEnum):
    """How the attempt to put channels and routes in force ended."""

    DEPLOYED = "deployed"
    FAILED = "failed"


class RoutingRevision(SQLModel, table=True):
    """One configuration of Alertmanager, without its secrets; kept for history."""

    __tablename__ = "notification_revisions"

    id: int | None = Field(default=None, primary_key=True)
    revision: str = Field(max_length=64)
    status: RoutingStatus = Field(sa_type=words(RoutingStatus))
    detail: str
    left_out: dict[str, str] = Field(sa_type=JSONB)  # by channel, why it cannot be used here
    document: str  # alertmanager.yml as it was meant
    running: bool  # whether Alertmanager confirmed it
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    confirmed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)

    @property
    def outcome(self) -> tuple[str, RoutingStatus, str, bool]:
        """What is worth an entry of its own when it differs from the one before."""
        return self.revision, self.status, self.detail, self.running


class Notice(SQLModel, table=True):
    """What the inbox tells of one outage: one line from its start to its end.

    `device_id` is that of the device which had the name then, and `device` what it is called now.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("fingerprint", "starts_at"),
        Index("ix_notices_received_at", "received_at"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    fingerprint: str = Field(max_length=64)
    alertname: str
    severity: str
    device: str = Field(index=True)
    device_id: UUID | None = Field(default=None, index=True)  # of one that may be no more
    site: str
    summary: str
    description: str
    value: str = ""  # what was measured, and what it is held against, where a rule says so
    threshold: str = ""
    runbook_url: str
    dashboard_url: str
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    received_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class NoticeRead(SQLModel, table=True):
    """That somebody has read a notice."""

    __tablename__ = "notice_reads"

    notice_id: UUID = Field(foreign_key="notices.id", primary_key=True, ondelete="CASCADE")
    reader_id: UUID = Field(primary_key=True)  # a person, or a program with a token of its own
    read_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
