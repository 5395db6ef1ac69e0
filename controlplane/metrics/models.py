"""The tables of thresholds: what an operator set, for all devices and for one."""

from enum import StrEnum
from uuid import UUID

from sqlmodel import Field, SQLModel

from controlplane.database import words


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


class Threshold(SQLModel, table=True):
    """A threshold for every device without one of its own."""

    __tablename__ = "thresholds"

    metric: Metric = Field(primary_key=True, sa_type=words(Metric))
    severity: Severity = Field(primary_key=True, sa_type=words(Severity))
    value: float


class DeviceThreshold(SQLModel, table=True):
    """A threshold for one device."""

    __tablename__ = "device_thresholds"

    device_id: UUID = Field(primary_key=True, foreign_key="devices.id", ondelete="CASCADE")
    metric: Metric = Field(primary_key=True, sa_type=words(Metric))
    severity: Severity = Field(primary_key=True, sa_type=words(Severity))
    value: float
