"""The table of events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class Event(SQLModel, table=True):
    """A trap; `device` is a name, as of alerts, and empty where the sender is no device.

    `device_id` is that of the device which had the name then, and `device` what it is called now:
    another that takes the name sees nothing.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_at", "at"),
        Index("ix_events_received_at", "received_at"),
        Index("ix_events_device_at", "device", "at"),
        Index("ix_events_device_id_at", "device_id", "at"),
    )

    id: UUID = Field(primary_key=True)  # the exporter's, so that one told twice is one
    at: datetime = Field(sa_type=UtcDateTime)
    device: str
    device_id: UUID | None = None  # what was removed stays named, so this refers to nothing
    source: str
    trap: str
    oid: str
    severity: str
    text: str
    varbinds: list[dict[str, Any]] = Field(sa_type=JSONB)
    received_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
