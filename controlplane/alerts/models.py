"""The tables of alerts: one row per time an alert fired, the steps of each, and incidents."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from controlplane.audit.models import Kind
from controlplane.database import UtcDateTime, by_trigrams, now, together, words


class AlertStatus(StrEnum):
    """Whether an alert still fires."""

    FIRING = "firing"
    RESOLVED = "resolved"


class AlertState(StrEnum):
    """Where an alert is in its life: nobody has it, somebody has, nobody is told, it is over."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


class Step(StrEnum):
    """What happened to an alert."""

    FIRED = "fired"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    SUPPRESSED = "suppressed"
    RESUMED = "resumed"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGEMENT_EXPIRED = "acknowledgement_expired"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    COMMENTED = "commented"
    CORRELATED = "correlated"


class Incident(SQLModel, table=True):
    """Alerts with one cause; open while any of them fires."""

    __tablename__ = "incidents"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    cause_id: UUID = Field(unique=True)  # an alert; no foreign key, or the two could not be added
    opened_at: datetime = Field(sa_type=UtcDateTime, index=True)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Alert(SQLModel, table=True):
    """One outage: a fingerprint fires once at a time, from its start to its end.

    `tellings` are the starts that were told of it, each with the end that was, if one was
    (controlplane.alerts.episodes); `missing_since` is when Alertmanager first knew it no longer.
    `device_id` is that of the device which had the name then, and `device` what that one is called
    now (controlplane.devices.names); the labels stay as they were told.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("fingerprint", "starts_at"),
        Index(
            "uq_alerts_firing",
            "fingerprint",
            unique=True,
            postgresql_where=text("status = 'firing'"),
        ),
        Index("ix_alerts_status_starts_at", "status", "starts_at"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    fingerprint: str = Field(max_length=64)
    status: AlertStatus = Field(sa_type=words(AlertStatus))
    state: AlertState = Field(default=AlertState.ACTIVE, sa_type=words(AlertState))
    alertname: str = Field(index=True)
    severity: str = ""
    device: str = Field(default="", index=True)
    device_id: UUID | None = Field(default=None, index=True)  # of one that may be no more
    site: str = ""
    labels: dict[str, str] = Field(sa_type=JSONB)
    annotations: dict[str, str] = Field(sa_type=JSONB)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    received_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)

    tellings: dict[str, str | None] = Field(default_factory=dict, sa_type=JSONB)
    missing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    silenced_by: list[str] = Field(default_factory=list, sa_type=JSONB)  # but for our own silence
    inhibited_by: list[str] = Field(default_factory=list, sa_type=JSONB)

    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: str = Field(default="", max_length=255)
    ack_comment: str = Field(default="", max_length=1000)
    ack_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    assignee: str = Field(default="", max_length=64)
    made_by: str = Field(default="", max_length=255)  # whoever made it by hand; else a rule did
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the end of one by hand
    incident_id: UUID | None = Field(default=None, foreign_key="incidents.id", index=True)

    @property
    def firing(self) -> bool:
        """Say whether it is not over."""
        return self.status is AlertStatus.FIRING

    def settle(self) -> None:
        """Derive the state from all else; whatever changes an alert ends with this."""
        if not self.firing:
            self.state = AlertState.RESOLVED
        elif self.acknowledged_at is not None:
            self.state = AlertState.ACKNOWLEDGED
        elif self.silenced_by or self.inhibited_by:
            self.state = AlertState.SUPPRESSED
        else:
            self.state = AlertState.ACTIVE


SEARCHED = together(
    *("alertname::text", "device::text", "site::text"),
    *(f"coalesce(annotations ->> '{name}'::text, ''::text)" for name in ("summary", "description")),
)
Alert.__table__.append_column(SEARCHED)  # type: ignore[attr-defined]
by_trigrams(SEARCHED)


class AlertStep(SQLModel, table=True):
    """A step in the life of an alert: what, when, who, and in which words."""

    __tablename__ = "alert_steps"
    __table_args__ = (Index("ix_alert_steps_alert_id_id", "alert_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.id", ondelete="CASCADE")
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    step: Step = Field(sa_type=words(Step))
    actor_kind: Kind = Field(sa_type=words(Kind))
    actor_name: str = Field(default="", max_length=255)
    comment: str = Field(default="", max_length=1000)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
