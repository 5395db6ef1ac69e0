"""The nouns of the catalogue, each with its table and its schemas."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from controlplane.devices.catalogue import polling, schemas
from controlplane.devices.catalogue.models import (
    Contact,
    CustomField,
    DeviceRole,
    DeviceType,
    Entry,
    Platform,
    PollClass,
    Tenant,
)
from controlplane.settings import Settings


def _anything(_entry: Entry, _settings: Settings) -> None:
    """Refuse nothing."""


@dataclass(frozen=True)
class Noun:
    """A kind of object: `field` is what a device calls it, `plural` what a document does."""

    words: str  # its name as people read it, and as the audit log has it
    field: str
    plural: str
    table: type[Entry]
    create: type[schemas.Named]
    update: type[BaseModel]
    read: type[schemas.EntryRead]
    by_name: bool = False  # devices keep its name, which stays, and not its id
    several: bool = False  # of one device; sites have them, too
    imported: bool = True  # in documents; what depends on the installation's settings is not
    check: Callable[[Any, Settings], None] = _anything  # raises Invalid, of what was written

    @property
    def column(self) -> str:
        """Name the column of devices that refers to it."""
        return self.field if self.by_name else f"{self.field}_id"


CONTACT = Noun(
    "contact",
    "contacts",
    "contacts",
    Contact,
    schemas.ContactCreate,
    schemas.ContactUpdate,
    schemas.ContactRead,
    by_name=True,
    several=True,
)
CUSTOM_FIELD = Noun(
    "custom field",
    "custom_fields",
    "custom_fields",
    CustomField,
    schemas.CustomFieldCreate,
    schemas.CustomFieldUpdate,
    schemas.CustomFieldRead,
    by_name=True,
    several=True,
)
DEVICE_ROLE = Noun(
    "device role",
    "role",
    "device_roles",
    DeviceRole,
    schemas.DeviceRoleCreate,
    schemas.DeviceRoleUpdate,
    schemas.DeviceRoleRead,
    by_name=True,
)
DEVICE_TYPE = Noun(
    "device type",
    "device_type",
    "device_types",
    DeviceType,
    schemas.DeviceTypeCreate,
    schemas.DeviceTypeUpdate,
    schemas.DeviceTypeRead,
)
PLATFORM = Noun(
    "platform",
    "platform",
    "platforms",
    Platform,
    schemas.PlatformCreate,
    schemas.PlatformUpdate,
    schemas.PlatformRead,
)
POLL_CLASS = Noun(
    "poll class",
    "poll_class",
    "poll_classes",
    PollClass,
    schemas.PollClassCreate,
    schemas.PollClassUpdate,
    schemas.PollClassRead,
    imported=False,
    check=polling.check,
)
TENANT = Noun(
    "tenant",
    "tenant",
    "tenants",
    Tenant,
    schemas.TenantCreate,
    schemas.TenantUpdate,
    schemas.TenantRead,
)
NOUNS: Mapping[str, Noun] = MappingProxyType(
    {
        noun.field: noun
        for noun in (CONTACT, CUSTOM_FIELD, DEVICE_ROLE, DEVICE_TYPE, PLATFORM, POLL_CLASS, TENANT)
    }
)
IMPORTED = tuple(noun for noun in NOUNS.values() if noun.imported)
BY_ID = tuple(noun for noun in NOUNS.values() if not noun.by_name)
