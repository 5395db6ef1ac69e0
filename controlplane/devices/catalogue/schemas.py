"""The catalogue on the wire: of each noun what may be said, a new one, a change, and a reading."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from controlplane import lookups
from controlplane.devices.catalogue import shapes
from controlplane.devices.catalogue.models import AppliesTo
from controlplane.grammar import (
    NOT_NULL,
    UNPRINTABLE,
    Label,
    Moment,
    Name,
    Printable,
    Word,
    matching,
)
from controlplane.lookups import MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery

Text = Annotated[Printable, Field(max_length=64)]
Team = Annotated[Printable, Field(min_length=1, max_length=64)]
Schema = Annotated[dict[str, Any], AfterValidator(shapes.schema)]
MAIL = rf"[^{UNPRINTABLE}\s@<>,;:\"()]{{1,64}}@[A-Za-z0-9.-]{{1,189}}"
Email = Annotated[str, matching(f"(?:{MAIL})?", "a mail address")]
Phone = Annotated[
    str, matching("(?:[0-9+(][0-9 ()/.x-]{0,31})?", "at most 32 digits, spaces and `+ ( ) / . x -`")
]
Colour = Annotated[str, matching("(?:#[0-9a-f]{6})?", "`#` and six lower-case hexadecimal digits")]

LONGEST = 240  # seconds: Prometheus forgets a sample after five minutes
Interval = Annotated[float, Field(ge=1, le=LONGEST, allow_inf_nan=False)]


class Fields(BaseModel):
    """What may be said of every object; what is left out keeps its value, or takes its default."""

    model_config = ConfigDict(extra="forbid")

    description: Annotated[Printable, Field(max_length=1000), NOT_NULL] = ""


class Named(BaseModel):
    """A new object has a name."""

    name: Name


class Renamed(BaseModel):
    """A change may give another name."""

    name: Annotated[Name | None, NOT_NULL] = None


class EntryRead(BaseModel):
    """An object of the catalogue; `version` counts its changes, and is its ETag."""

    id: UUID
    name: str
    description: str
    version: int
    created_at: datetime
    updated_at: datetime


@lookups.expanded
class EntryQuery(PageQuery):
    """Filters of a list of the catalogue; `q` finds parts of name or description."""

    name: Annotated[list[Name], TEXT] = NOT_GIVEN
    description: Annotated[list[Printable], TEXT] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""


class ContactUpdate(Fields):
    """The fields of a contact to change; its name stays: sites and devices keep it."""

    full_name: Annotated[Text, NOT_NULL] = ""
    email: Annotated[Email, NOT_NULL] = ""
    phone: Annotated[Phone, NOT_NULL] = ""
    team: Annotated[Text, NOT_NULL] = ""


class ContactCreate(ContactUpdate, Named):
    """A new contact."""


class ContactRead(EntryRead):
    """A contact."""

    full_name: str
    email: str
    phone: str
    team: str


class CustomFieldFields(Fields):
    """What may be said of a custom field; a `default` of the schema is that of new objects."""

    required: Annotated[bool, NOT_NULL] = False


class CustomFieldCreate(CustomFieldFields, Named):
    """A new custom field: JSON Schema 2020-12 says what its values are."""

    applies_to: AppliesTo
    value_schema: Schema


class CustomFieldUpdate(CustomFieldFields):
    """The fields of a custom field to change; values that are kept must fit another schema."""

    value_schema: Annotated[Schema | None, NOT_NULL] = None


class CustomFieldRead(EntryRead):
    """A custom field."""

    applies_to: AppliesTo
    value_schema: dict[str, Any]
    required: bool


class DeviceTypeFields(Fields):
    """What may be said of a device type."""

    manufacturer: Annotated[Label, NOT_NULL] = ""
    model: Annotated[Text, NOT_NULL] = ""
    part_number: Annotated[Text, NOT_NULL] = ""


class DeviceTypeCreate(DeviceTypeFields, Named):
    """A new device type."""


class DeviceTypeUpdate(DeviceTypeFields, Renamed):
    """The fields of a device type to change."""


class DeviceTypeRead(EntryRead):
    """A device type."""

    manufacturer: str
    model: str
    part_number: str


class DeviceRoleUpdate(Fields):
    """The fields of a device role to change; its name stays: it is a label of every series."""

    colour: Annotated[Colour, NOT_NULL] = ""


class DeviceRoleCreate(DeviceRoleUpdate, Named):
    """A new device role."""


class DeviceRoleRead(EntryRead):
    """A device role."""

    colour: str


class PlatformFields(Fields):
    """What may be said of a platform; `profile` is that of devices that name none themselves."""

    manufacturer: Annotated[Label, NOT_NULL] = ""
    profile: Word | None = None


class PlatformCreate(PlatformFields, Named):
    """A new platform."""


class PlatformUpdate(PlatformFields, Renamed):
    """The fields of a platform to change."""


class PlatformRead(EntryRead):
    """A platform."""

    manufacturer: str
    profile: str | None


class PollClassFields(Fields):
    """What may be said of a poll class; without a `timeout` a poll takes almost the interval."""

    timeout: Annotated[float, Field(ge=0.1, le=LONGEST)] | None = None


class PollClassCreate(PollClassFields, Named):
    """A new poll class."""

    interval: Interval


class PollClassUpdate(PollClassFields, Renamed):
    """The fields of a poll class to change."""

    interval: Annotated[Interval | None, NOT_NULL] = None


class PollClassRead(EntryRead):
    """A poll class; both in seconds."""

    interval: float
    timeout: float | None


class TenantCreate(Fields, Named):
    """A new tenant."""


class TenantUpdate(Fields, Renamed):
    """The fields of a tenant to change."""


class TenantRead(EntryRead):
    """A tenant."""
