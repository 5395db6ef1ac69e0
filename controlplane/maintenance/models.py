"""The tables of maintenance windows and of what each of them is about."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import Date, DateTime, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class Window(SQLModel, table=True):
    """Planned work, once or by a rule; what was cancelled is kept, and its name is free again.

    `starts_at` is the time on a wall clock of `time_zone`, at which the rule repeats it.
    """

    __tablename__ = "maintenance_windows"
    __table_args__ = (
        Index(
            "uq_maintenance_windows_name",
            "name",
            unique=True,
            postgresql_where=text("cancelled_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(max_length=63)
    description: str = ""
    starts_at: datetime = Field(sa_type=DateTime)
    duration_seconds: int
    time_zone: str = Field(default="UTC", max_length=64)
    recurrence: str = Field(default="", max_length=500)  # RFC 5545, or empty: once
    exceptions: list[date] = Field(default_factory=list, sa_type=ARRAY(Date))
    tags: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    dependants: bool = False
    created_by: str = ""
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    cancelled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WindowDevice(SQLModel, table=True):
    """A device that a window names."""

    __tablename__ = "maintenance_window_devices"

    window_id: UUID = Field(
        primary_key=True, foreign_key="maintenance_windows.id", ondelete="CASCADE"
    )
    device_id: UUID = Field(
        primary_key=True, foreign_key="devices.id", ondelete="CASCADE", index=True
    )


class WindowSite(SQLModel, table=True):
    """A site that a window names, with all below it."""

    __tablename__ = "maintenance_window_sites"

    window_id: UUID = Field(
        primary_key=True, foreign_key="maintenance_windows.id", ondelete="CASCADE"
    )
    site_id: UUID = Field(primary_key=True, foreign_key="sites.id", ondelete="CASCADE", index=True)


class WindowGroup(SQLModel, table=True):
    """A device group that a window names, with whatever it holds."""

    __tablename__ = "maintenance_window_groups"

    window_id: UUID = Field(
        primary_key=True, foreign_key="maintenance_windows.id", ondelete="CASCADE"
    )
    group_id: UUID = Field(
        primary_key=True, foreign_key="device_groups.id", ondelete="CASCADE", index=True
    )
