"""The tables of the catalogue, which differ in few columns."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from controlplane.database import Json, UtcDateTime, now, words


class Entry(SQLModel):
    """What every object of the catalogue has: a name that may change, an identity that stays."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    description: str = ""
    version: int = 1  # counts the changes of this object
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class DeviceType(Entry, table=True):
    """A make of device, as it stands in the manufacturer's catalogue."""

    __tablename__ = "device_types"

    manufacturer: str = Field(default="", max_length=64)
    model: str = Field(default="", max_length=64)
    part_number: str = Field(default="", max_length=64)


class Contact(Entry, table=True):
    """Somebody to ask about sites and devices; they name it, so its name stays."""

    __tablename__ = "contacts"

    full_name: str = Field(default="", max_length=64)
    email: str = Field(default="", max_length=254)
    phone: str = Field(default="", max_length=32)
    team: str = Field(default="", max_length=64)


class AppliesTo(StrEnum):
    """What a custom field is of."""

    DEVICE = "device"
    SITE = "site"


class CustomField(Entry, table=True):
    """A field that an operator adds to devices or sites, which keep values under its name."""

    __tablename__ = "custom_fields"

    applies_to: AppliesTo = Field(sa_type=words(AppliesTo))
    value_schema: dict[str, Any] = Field(sa_type=Json)
    required: bool = False


class DeviceRole(Entry, table=True):
    """What devices are for; its name is the label `role`, so it stays."""

    __tablename__ = "device_roles"

    colour: str = Field(default="", max_length=7)


class Platform(Entry, table=True):
    """The software that devices run; its profile counts where a device has none of its own."""

    __tablename__ = "platforms"

    manufacturer: str = Field(default="", max_length=64)
    profile: str | None = Field(default=None, max_length=63)


class PollClass(Entry, table=True):
    """How often devices are asked, and how long that may take, in seconds."""

    __tablename__ = "poll_classes"

    interval: float
    timeout: float | None = None  # almost the interval where it is not said


class Tenant(Entry, table=True):
    """Somebody for whom devices are run."""

    __tablename__ = "tenants"
