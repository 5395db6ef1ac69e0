"""The tables of interfaces, which belong to a device by its name, as series and people do.

Ten thousand devices have some 240,000 of them: a list is ordered and counted without a join.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, text
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, by_trigrams, now, together, words

LONGEST = 255  # characters of what a device tells


class Importance(StrEnum):
    """How much depends on an interface, in the words of an operator."""

    CRITICAL = "critical"
    NORMAL = "normal"
    LOW = "low"


class Monitored(StrEnum):
    """Whether people are told of an interface: as the rules find, in any case, or never."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


class AdminStatus(StrEnum):
    """What is wanted of an interface on the device itself (RFC 2863, ifAdminStatus)."""

    UP = "up"
    DOWN = "down"
    TESTING = "testing"
    UNKNOWN = "unknown"


class OperStatus(StrEnum):
    """What an interface does (RFC 2863, ifOperStatus)."""

    UP = "up"
    DOWN = "down"
    TESTING = "testing"
    UNKNOWN = "unknown"
    DORMANT = "dormant"
    NOT_PRESENT = "notPresent"
    LOWER_LAYER_DOWN = "lowerLayerDown"


DECIDED = text("monitored <> 'auto'")
GONE = text("gone_at IS NOT NULL")


class Interface(SQLModel, table=True):
    """A port of a device: what the device told last, and what an operator says of it."""

    __tablename__ = "interfaces"
    __table_args__ = (
        Index("ix_interfaces_device", "device", "name", unique=True),
        Index("ix_interfaces_name", "name", "id"),
        Index("ix_interfaces_oper_status", "oper_status"),
        Index("ix_interfaces_decided", "device", postgresql_where=DECIDED),
        Index("ix_interfaces_gone", "device", "gone_at", postgresql_where=GONE),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    device: str = Field(
        sa_column=Column(
            String(63),
            ForeignKey("devices.name", ondelete="CASCADE", onupdate="CASCADE"),
            nullable=False,
        )
    )
    name: str = Field(max_length=LONGEST)  # ifName, else ifDescr
    index: int  # ifIndex, which may be another after a restart of the device
    alias: str = Field(default="", max_length=LONGEST)
    type: str = Field(default="", max_length=64)
    speed: int = Field(default=0, sa_type=BigInteger)  # bits per second; 0 where none is told
    mac: str = Field(default="", max_length=64)
    admin_status: AdminStatus = Field(default=AdminStatus.UNKNOWN, sa_type=words(AdminStatus))
    oper_status: OperStatus = Field(default=OperStatus.UNKNOWN, sa_type=words(OperStatus))
    first_seen: datetime = Field(sa_type=UtcDateTime)
    last_seen: datetime = Field(sa_type=UtcDateTime)  # to the hour, while nothing changes
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    description: str = ""  # this and what follows is the operator's
    importance: Importance = Field(default=Importance.NORMAL, sa_type=words(Importance))
    monitored: Monitored = Field(default=Monitored.AUTO, sa_type=words(Monitored))
    version: int = 1  # counts what operators changed
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)  # by an operator


SEARCHED = together("device::text", "name::text", "alias::text", "description::text")
Interface.__table__.append_column(SEARCHED)  # type: ignore[attr-defined]
by_trigrams(SEARCHED)


class InterfaceCount(SQLModel, table=True):
    """How many interfaces a device has; the database counts them as they come and go."""

    __tablename__ = "interface_counts"

    device: str = Field(
        sa_column=Column(
            String(63),
            ForeignKey("devices.name", ondelete="CASCADE", onupdate="CASCADE"),
            primary_key=True,
        )
    )
    count: int


class InterfaceChange(SQLModel, table=True):
    """Something that a device told of an interface and that became another."""

    __tablename__ = "interface_changes"

    id: int | None = Field(default=None, primary_key=True)
    interface_id: UUID = Field(foreign_key="interfaces.id", ondelete="CASCADE", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    field: str = Field(max_length=32)
    before: str = Field(max_length=LONGEST)
    after: str = Field(max_length=LONGEST)
