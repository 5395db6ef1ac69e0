"""The nouns of the catalogue, each with its table and its schemas."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import BaseModel

from controlplane.devices.catalogue import schemas
from controlplane.devices.catalogue.models import DeviceType, Entry, Platform, Tenant


@dataclass(frozen=True)
class Noun:
    """A kind of object: `field` is what a device calls it, `plural` what a document does."""

    field: str
    plural: str
    table: type[Entry]
    create: type[schemas.Named]
    update: type[BaseModel]
    read: type[schemas.EntryRead]

    @property
    def words(self) -> str:
        """Give its name as people read it, and as the audit log has it."""
        return self.field.replace("_", " ")

    @property
    def column(self) -> str:
        """Name the column of devices that refers to it."""
        return f"{self.field}_id"


DEVICE_TYPE = Noun(
    "device_type",
    "device_types",
    DeviceType,
    schemas.DeviceTypeCreate,
    schemas.DeviceTypeUpdate,
    schemas.DeviceTypeRead,
)
PLATFORM = Noun(
    "platform",
    "platforms",
    Platform,
    schemas.PlatformCreate,
    schemas.PlatformUpdate,
    schemas.PlatformRead,
)
TENANT = Noun(
    "tenant",
    "tenants",
    Tenant,
    schemas.TenantCreate,
    schemas.TenantUpdate,
    schemas.TenantRead,
)
NOUNS: Mapping[str, Noun] = MappingProxyType(
    {noun.field: noun for noun in (DEVICE_TYPE, PLATFORM, TENANT)}
)
