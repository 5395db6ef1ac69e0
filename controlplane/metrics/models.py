"""The table of thresholds: what operators set, for all devices, a role, a site, a group or one."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words


class Metric(StrEnum):
    """What a threshold is about: ratios from 0 to 1, degrees Celsius, and seconds."""

    CPU_UTILIZATION = "cpu_utilization"
    MEMORY_UTILIZATION = "memory_utilization"
    INTERFACE_UTILIZATION = "interface_utilization"
    INTERFACE_ERRORS = "interface_errors"
    INTERFACE_DISCARDS = "interface_discards"
    TEMPERATURE = "temperature"
    PACKET_LOSS = "packet_loss"
    RESPONSE_TIME = "response_time"
    JITTER = "jitter"


class Severity(StrEnum):
    """How loud the alert is."""

    WARNING = "warning"
    CRITICAL = "critical"


class Scope(StrEnum):
    """Which devices a threshold is for; each goes before those above it."""

    ALL = "all"
    ROLE = "role"
    SITE = "site"  # with all below it, until one of these has its own
    GROUP = "group"  # whatever it holds
    DEVICE = "device"


class Threshold(SQLModel, table=True):
    """The thresholds of a metric for the devices of a scope: both, so that they fit each other.

    Of `role` and the ids the one is set that the scope is about.
    """

    __tablename__ = "thresholds"
    __table_args__ = (
        UniqueConstraint(
            *("scope", "role", "site_id", "group_id", "device_id", "metric"),
            name="uq_thresholds_scope",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    scope: Scope = Field(sa_type=words(Scope))
    role: str | None = Field(default=None, max_length=64)
    site_id: UUID | None = Field(
        default=None, foreign_key="sites.id", ondelete="CASCADE", index=True
    )
    group_id: UUID | None = Field(
        default=None, foreign_key="device_groups.id", ondelete="CASCADE", index=True
    )
    device_id: UUID | None = Field(
        default=None, foreign_key="devices.id", ondelete="CASCADE", index=True
    )
    metric: Metric = Field(sa_type=words(Metric))
    warning: float
    critical: float
    weight: int = 0  # of several groups that hold a device, the heaviest counts
    version: int = 1  # counts the changes of this threshold
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
