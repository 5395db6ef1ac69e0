"""The tables of on-call schedules, of escalation policies, and of what was told by them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class Schedule(SQLModel, table=True):
    """Who is on call when; `layers` are checked JSON (schemas.LayerFields)."""

    __tablename__ = "oncall_schedules"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    description: str = ""
    time_zone: str = Field(default="UTC", max_length=64)
    layers: list[dict[str, Any]] = Field(sa_type=JSONB)
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Override(SQLModel, table=True):
    """Somebody stands in on a schedule; of two at once the newer one counts."""

    __tablename__ = "oncall_overrides"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    schedule_id: UUID = Field(foreign_key="oncall_schedules.id", ondelete="CASCADE", index=True)
    person: str = Field(max_length=63)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str = ""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Contact(SQLModel, table=True):
    """The channel by which somebody who is on call is told."""

    __tablename__ = "oncall_contacts"

    person: str = Field(primary_key=True, max_length=63)
    channel: str = Field(max_length=63)


class Policy(SQLModel, table=True):
    """Which alerts are escalated, and how; `options` is checked JSON (schemas.PolicyFields)."""

    __tablename__ = "escalation_policies"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    position: int = 100
    options: dict[str, Any] = Field(sa_type=JSONB)
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Escalation(SQLModel, table=True):
    """The way of one alert episode through the steps of a policy, as they were when it began.

    Time counts while nobody has the alert: `waited_seconds`, and since `counting_since` on top.
    """

    __tablename__ = "escalations"
    __table_args__ = (
        Index("ix_escalations_open", "id", postgresql_where=text("closed_at IS NULL")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.id", ondelete="CASCADE", unique=True)
    policy: str = Field(max_length=63)  # its name: a policy may go while this is under way
    steps: list[dict[str, Any]] = Field(sa_type=JSONB)
    repeat: int = 0  # how often they begin again, `repeat_after` seconds after the last one
    repeat_after: float = 0
    waited_seconds: float = 0
    counting_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Telling(SQLModel, table=True):
    """One step that came due, and whom it told; one row, so that nothing is told twice.

    `position` counts on where the steps begin again.
    `live` is whether Alertmanager was told that it goes on, and not yet that it is over.
    """

    __tablename__ = "escalation_tellings"
    __table_args__ = (UniqueConstraint("escalation_id", "position", "channel", "person"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    escalation_id: UUID = Field(foreign_key="escalations.id", ondelete="CASCADE")
    position: int
    channel: str = Field(default="", max_length=63)  # empty: nobody knows how to reach them
    person: str = Field(default="", max_length=63)
    schedule: str = Field(default="", max_length=63)
    told_at: datetime = Field(sa_type=UtcDateTime)
    live: bool = False
