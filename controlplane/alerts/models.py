"""The table of alerts: what Alertmanager told, one row per time an alert fired."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words


class AlertStatus(StrEnum):
    """Whether an alert still fires."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Alert(SQLModel, table=True):
    """One outage: a fingerprint fires once at a time, from its start to its end."""

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
    alertname: str = Field(index=True)
    severity: str = ""
    device: str = Field(default="", index=True)
    labels: dict[str, str] = Field(sa_type=JSONB)
    annotations: dict[str, str] = Field(sa_type=JSONB)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    received_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
