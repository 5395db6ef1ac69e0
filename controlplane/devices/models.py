"""The tables of the inventory: sites, devices, and what ties them together."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Index, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from controlplane.database import Json, UtcDateTime, now, together, words


class Status(StrEnum):
    """Where a device is in its life."""

    ACTIVE = "active"
    PLANNED = "planned"
    MAINTENANCE = "maintenance"
    DECOMMISSIONED = "decommissioned"


MONITORED = (Status.ACTIVE, Status.MAINTENANCE)  # a device in maintenance is asked, not alerted on


class SiteKind(StrEnum):
    """What a place is, the largest first: none is a part of a smaller one."""

    REGION = "region"
    SITE = "site"
    LOCATION = "location"


class Site(SQLModel, table=True):
    """A place where devices stand, itself a part of its parent."""

    __tablename__ = "sites"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    kind: SiteKind = Field(default=SiteKind.SITE, sa_type=words(SiteKind))
    description: str = ""
    parent_id: UUID | None = Field(
        default=None, foreign_key="sites.id", ondelete="RESTRICT", index=True
    )
    contacts: list[str] = Field(default_factory=list, sa_type=ARRAY(String))  # whom to ask first
    custom_fields: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    version: int = 1  # counts the changes of this site
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Device(SQLModel, table=True):
    """Something on the network that should be healthy."""

    __tablename__ = "devices"
    __table_args__ = (Index("ix_devices_tags", "tags", postgresql_using="gin"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    address: str = Field(max_length=253)
    port: int = 161
    site_id: UUID | None = Field(
        default=None, foreign_key="sites.id", ondelete="RESTRICT", index=True
    )
    device_type_id: UUID | None = Field(
        default=None, foreign_key="device_types.id", ondelete="RESTRICT", index=True
    )
    platform_id: UUID | None = Field(
        default=None, foreign_key="platforms.id", ondelete="RESTRICT", index=True
    )
    poll_class_id: UUID | None = Field(
        default=None, foreign_key="poll_classes.id", ondelete="RESTRICT", index=True
    )
    tenant_id: UUID | None = Field(
        default=None, foreign_key="tenants.id", ondelete="RESTRICT", index=True
    )
    role: str | None = Field(
        default=None, foreign_key="device_roles.name", ondelete="RESTRICT", index=True
    )
    vendor: str = Field(default="", max_length=64)
    description: str = ""
    serial: str = Field(default="", max_length=64)  # as the operator has it
    asset_tag: str = Field(default="", max_length=64)
    profile: str | None = Field(default=None, max_length=63)
    modules: list[str] = Field(default_factory=list, sa_type=JSON)
    tags: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    contacts: list[str] = Field(default_factory=list, sa_type=ARRAY(String))  # whom to ask first
    custom_fields: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    status: Status = Field(default=Status.ACTIVE, sa_type=words(Status))
    version: int = 1  # counts the changes of this device
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class FormerName(SQLModel, table=True):
    """A name that a device gave up; another may have it since."""

    __tablename__ = "former_device_names"

    name: str = Field(primary_key=True, max_length=63)
    until: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    device_id: UUID = Field(foreign_key="devices.id", ondelete="CASCADE", index=True)


class DeviceCredential(SQLModel, table=True):
    """A credential to try on a device; the lowest position first."""

    __tablename__ = "device_credentials"

    device_id: UUID = Field(primary_key=True, foreign_key="devices.id", ondelete="CASCADE")
    credential_id: UUID = Field(
        primary_key=True, foreign_key="credentials.id", ondelete="RESTRICT", index=True
    )
    position: int


class DeviceParent(SQLModel, table=True):
    """The way from the poller to a device leads through its parent; several are alternatives."""

    __tablename__ = "device_parents"

    device_id: UUID = Field(primary_key=True, foreign_key="devices.id", ondelete="CASCADE")
    parent_id: UUID = Field(
        primary_key=True, foreign_key="devices.id", ondelete="RESTRICT", index=True
    )


FACTS = ("vendor", "model", "os_version", "serial", "sys_name", "profile")
"""What a device says of itself: the labels of `chm_device_info`."""


class DeviceFacts(SQLModel, table=True):
    """What a device said of itself when it was last asked; empty where it does not tell."""

    __tablename__ = "device_facts"

    device_id: UUID = Field(primary_key=True, foreign_key="devices.id", ondelete="CASCADE")
    vendor: str = Field(default="", max_length=255)
    model: str = Field(default="", max_length=255)
    os_version: str = Field(default="", max_length=255)
    serial: str = Field(default="", max_length=255)
    sys_name: str = Field(default="", max_length=255)  # what it calls itself
    profile: str = Field(default="", max_length=255)  # the one it is asked by
    first_seen: datetime = Field(sa_type=UtcDateTime)
    last_seen: datetime = Field(sa_type=UtcDateTime)


class FactChange(SQLModel, table=True):
    """A fact that became another: a device was upgraded, or replaced."""

    __tablename__ = "device_fact_changes"

    id: int | None = Field(default=None, primary_key=True)
    device_id: UUID = Field(foreign_key="devices.id", ondelete="CASCADE", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    field: str = Field(max_length=32)
    before: str = Field(max_length=255)
    after: str = Field(max_length=255)


class DevicePoll(SQLModel, table=True):
    """The last poll of a device out of turn, and whether there is to be another for a trap."""

    __tablename__ = "device_polls"
    __table_args__ = (
        Index("ix_device_polls_wanted_at", "wanted_at", postgresql_where="wanted_at IS NOT NULL"),
    )

    device_id: UUID = Field(primary_key=True, foreign_key="devices.id", ondelete="CASCADE")
    wanted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when its trap came
    trap: str = ""  # that came last
    begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the last for a trap
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # of the report
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # with interfaces
    report: dict[str, Any] | None = Field(default=None, sa_type=Json)


DEVICE_SEARCHED = together(
    *(f"{name}::text" for name in ("name", "address", "vendor", "description")),
    *("asset_tag::text", "serial::text", "chm_words(tags::text[])"),
)
Device.__table__.append_column(DEVICE_SEARCHED)  # type: ignore[attr-defined]
FACTS_SEARCHED = together(
    *("model::text", "os_version::text", "serial::text", "sys_name::text"),
)
DeviceFacts.__table__.append_column(FACTS_SEARCHED)  # type: ignore[attr-defined]
