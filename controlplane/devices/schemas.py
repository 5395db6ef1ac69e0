"""Sites and devices on the wire."""

import ipaddress
import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from controlplane import lookups
from controlplane.credentials.schemas import CredentialCreate
from controlplane.devices.catalogue.schemas import (
    ContactCreate,
    CustomFieldCreate,
    DeviceRoleCreate,
    DeviceTypeCreate,
    PlatformCreate,
    Renamed,
    TenantCreate,
    Text,
)
from controlplane.devices.custom import Asked, Values
from controlplane.devices.interfaces.schemas import InterfaceRow
from controlplane.devices.models import SiteKind, Status
from controlplane.grammar import NOT_NULL, Label, Moment, Name, Printable, Word
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TAGS, TEXT
from controlplane.pagination import PageQuery
from controlplane.rows import Key

HOST_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# RFC 1123, section 2.1: a name whose last label is a number would be read as an address.
HOST_PATTERN = rf"(?:{HOST_LABEL}\.)*(?![0-9]+\.?$){HOST_LABEL}\.?"
HOST_LENGTH = 253
RESERVED = frozenset({"export"})  # /api/v1/devices/export is no device


def _address(text: str) -> str:
    if "%" in text:  # a scope means another network on every machine (RFC 4007)
        raise ValueError("must not have a scope")
    try:
        return str(ipaddress.IPv4Address(text)) if "." in text else str(ipaddress.IPv6Address(text))
    except ipaddress.AddressValueError:
        if len(text) <= HOST_LENGTH and re.fullmatch(HOST_PATTERN, text):
            return text.lower()
    raise ValueError("must be an IP address or a host name")


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("must not name anything twice")
    return names


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError("must not be what the API calls something else")
    return name


Address = Annotated[str, AfterValidator(_address)]
DeviceName = Annotated[Name, AfterValidator(_not_reserved)]
Names = Annotated[list[Name], Field(max_length=64), AfterValidator(_distinct)]
Words = Annotated[list[Word], Field(max_length=64), AfterValidator(_distinct)]
Description = Annotated[Printable, Field(max_length=1000)]
Port = Annotated[int, Field(ge=1, le=65535)]


class SiteFields(BaseModel):
    """What may be said about a site; a field left out keeps its value, or takes its default."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[SiteKind, NOT_NULL] = SiteKind.SITE
    description: Annotated[Description, NOT_NULL] = ""
    parent: Name | None = None
    contacts: Annotated[Names, NOT_NULL] = []
    custom_fields: Annotated[Values, NOT_NULL] = {}


class SiteCreate(SiteFields):
    """A new site."""

    name: Name


class SiteUpdate(SiteFields, Renamed):
    """The fields of a site to change."""


class SiteChange(SiteFields, Key):
    """A site of a list, and the fields of it to change."""


class SiteRead(BaseModel):
    """A site, and the one it is a part of; `version` counts its changes, and is its ETag."""

    id: UUID
    name: str
    kind: SiteKind
    description: str
    parent: str | None
    contacts: list[str]
    custom_fields: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime


@lookups.expanded
class SiteQuery(PageQuery):
    """Filters of the list of sites; `q` finds parts of name or description."""

    name: Annotated[list[Name], TEXT] = NOT_GIVEN
    kind: Annotated[list[SiteKind], CHOICE] = NOT_GIVEN
    description: Annotated[list[Description], TEXT] = NOT_GIVEN
    parent: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    contact: Annotated[list[Name], TAGS] = NOT_GIVEN
    cf: Asked = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""


class DeviceFields(BaseModel):
    """What may be said about a device; a field left out keeps its value, or takes its default."""

    model_config = ConfigDict(extra="forbid")

    port: Annotated[Port, NOT_NULL] = 161
    site: Name | None = None
    role: Name | None = None
    vendor: Annotated[Label, NOT_NULL] = ""
    device_type: Name | None = None
    platform: Name | None = None
    poll_class: Name | None = None
    tenant: Name | None = None
    description: Annotated[Description, NOT_NULL] = ""
    serial: Annotated[Text, NOT_NULL] = ""
    asset_tag: Annotated[Text, NOT_NULL] = ""
    profile: Word | None = None
    modules: Annotated[Words, NOT_NULL] = []
    tags: Annotated[Words, NOT_NULL] = []
    contacts: Annotated[Names, NOT_NULL] = []
    custom_fields: Annotated[Values, NOT_NULL] = {}
    credentials: Annotated[Names, NOT_NULL] = []
    parents: Annotated[Names, NOT_NULL] = []
    status: Annotated[Status, NOT_NULL] = Status.ACTIVE


class DeviceCreate(DeviceFields):
    """A new device."""

    name: DeviceName
    address: Address


class DeviceUpdate(DeviceFields):
    """The fields of a device to change; with `version`, only if nobody else changed it since."""

    name: Annotated[DeviceName | None, NOT_NULL] = None
    address: Annotated[Address | None, NOT_NULL] = None
    version: int | None = None


class DeviceChange(DeviceFields, Key):
    """A device of a list, and the fields of it to change."""

    address: Annotated[Address | None, NOT_NULL] = None


class FactChangeRead(BaseModel):
    """A fact that became another, and what that may mean."""

    at: datetime
    field: str
    before: str
    after: str
    note: str


class FactsRead(BaseModel):
    """What a device says of itself, empty where it does not tell; the newest change first.

    `disagrees` names what an operator has set to something else.
    """

    vendor: str
    model: str
    os_version: str
    serial: str
    sys_name: str
    profile: str
    first_seen: datetime
    last_seen: datetime
    disagrees: list[str]
    changes: list[FactChangeRead]


class DeviceRead(BaseModel):
    """A device of the inventory; `version` counts its changes, and is its ETag."""

    id: UUID
    name: str
    address: str
    port: int
    site: str | None
    role: str | None
    vendor: str
    device_type: str | None
    platform: str | None
    poll_class: str | None
    tenant: str | None
    description: str
    serial: str
    asset_tag: str
    profile: str | None
    modules: list[str]
    tags: list[str]
    contacts: list[str]
    custom_fields: dict[str, Any]
    credentials: list[str]
    parents: list[str]
    status: Status
    version: int
    created_at: datetime
    updated_at: datetime
    facts: FactsRead | None = None


@lookups.expanded
class DeviceFilters(BaseModel):
    """Which devices are wanted: everything that is given holds.

    A device has every `tag` and every `contact`; `q` finds parts of name, address, role, vendor,
    description, asset tag, serial number, tags, site, and of what the device says of itself.
    """

    name: Annotated[list[Name], TEXT] = NOT_GIVEN
    address: Annotated[list[Printable], TEXT] = NOT_GIVEN
    site: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    role: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    vendor: Annotated[list[Label], TEXT] = NOT_GIVEN
    device_type: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    platform: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    poll_class: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    tenant: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    description: Annotated[list[Printable], TEXT] = NOT_GIVEN
    asset_tag: Annotated[list[Printable], TEXT] = NOT_GIVEN
    profile: Annotated[list[Word], TEXT.or_none] = NOT_GIVEN
    status: Annotated[list[Status], CHOICE] = NOT_GIVEN
    model: Annotated[list[Printable], TEXT] = NOT_GIVEN
    os_version: Annotated[list[Printable], TEXT] = NOT_GIVEN
    serial: Annotated[list[Printable], TEXT] = NOT_GIVEN
    sys_name: Annotated[list[Printable], TEXT] = NOT_GIVEN
    parent: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    group: Annotated[list[Name], CHOICE] = NOT_GIVEN
    tag: Annotated[list[Word], TAGS] = NOT_GIVEN
    contact: Annotated[list[Name], TAGS] = NOT_GIVEN
    cf: Asked = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""


class DeviceQuery(PageQuery, DeviceFilters):
    """Filters of the list of devices."""


class ImportDocument(BaseModel):
    """Credentials, sites, catalogue and devices to add or change by name, all of them or none.

    Of interfaces, which devices tell of, what operators say is changed.
    """

    model_config = ConfigDict(extra="forbid")

    credentials: list[CredentialCreate] = []
    sites: list[SiteCreate] = []
    contacts: list[ContactCreate] = []
    custom_fields: list[CustomFieldCreate] = []
    device_roles: list[DeviceRoleCreate] = []
    device_types: list[DeviceTypeCreate] = []
    platforms: list[PlatformCreate] = []
    tenants: list[TenantCreate] = []
    devices: list[DeviceCreate] = []
    interfaces: list[InterfaceRow] = []


class Tally(BaseModel):
    """How many were added, how many changed, and how many were so already."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


class ImportResult(BaseModel):
    """What an import did."""

    credentials: Tally
    sites: Tally
    contacts: Tally
    custom_fields: Tally
    device_roles: Tally
    device_types: Tally
    platforms: Tally
    tenants: Tally
    devices: Tally
    interfaces: Tally
