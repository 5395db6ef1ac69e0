"""Interfaces on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from controlplane import lookups
from controlplane.devices.interfaces.models import AdminStatus, Importance, Monitored, OperStatus
from controlplane.grammar import NOT_NULL, Moment, Name, Printable
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, NUMBER, TEXT
from controlplane.pagination import PageQuery

PortName = Annotated[Printable, Field(min_length=1, max_length=255)]
Speed = Annotated[int, Field(ge=0, lt=2**63)]


class InterfaceUpdate(BaseModel):
    """What an operator says of an interface; a field left out keeps its value."""

    model_config = ConfigDict(extra="forbid")

    description: Annotated[Printable, Field(max_length=1000), NOT_NULL] = ""
    importance: Annotated[Importance, NOT_NULL] = Importance.NORMAL
    monitored: Annotated[Monitored, NOT_NULL] = Monitored.AUTO


class InterfaceRow(InterfaceUpdate):
    """An interface of a document, by device and name, and what an operator says of it."""

    device: Name
    name: PortName


EXPORTED = ("device", "name", *InterfaceUpdate.model_fields)  # of a row, its key first


class InterfaceChange(InterfaceRow):
    """An interface of a list; with `version`, only if it is that still."""

    version: int | None = None


class NoteRead(BaseModel):
    """Something that a device told of an interface and that became another."""

    at: datetime
    field: str
    before: str
    after: str


class InterfaceRead(BaseModel):
    """An interface: what its device told last, and what an operator says of it.

    `speed` is in bits per second, 0 where none is told; `gone_at` is when the device told of it no
    more. `disagrees` names what an operator says otherwise than the device. `version` counts the
    operator's changes, and is the ETag.
    """

    id: UUID
    device: str
    site: str | None
    name: str
    index: int
    alias: str
    type: str
    speed: int
    mac: str
    admin_status: AdminStatus
    oper_status: OperStatus
    first_seen: datetime
    last_seen: datetime
    gone_at: datetime | None
    description: str
    importance: Importance
    monitored: Monitored
    disagrees: list[str]
    version: int
    updated_at: datetime


class InterfaceDetail(InterfaceRead):
    """An interface, and the last things about it that became others; the newest first."""

    changes: list[NoteRead]


@lookups.expanded
class InterfaceFilters(BaseModel):
    """Which interfaces are wanted: everything that is given holds.

    `q` finds parts of device, name, alias and description.
    """

    device: Annotated[list[Name], TEXT] = NOT_GIVEN
    site: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    name: Annotated[list[PortName], TEXT] = NOT_GIVEN
    alias: Annotated[list[Printable], TEXT] = NOT_GIVEN
    description: Annotated[list[Printable], TEXT] = NOT_GIVEN
    type: Annotated[list[Printable], TEXT] = NOT_GIVEN
    mac: Annotated[list[Printable], TEXT] = NOT_GIVEN
    speed: Annotated[list[Speed], NUMBER] = NOT_GIVEN
    admin_status: Annotated[list[AdminStatus], CHOICE] = NOT_GIVEN
    oper_status: Annotated[list[OperStatus], CHOICE] = NOT_GIVEN
    importance: Annotated[list[Importance], CHOICE] = NOT_GIVEN
    monitored: Annotated[list[Monitored], CHOICE] = NOT_GIVEN
    first_seen: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    last_seen: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    gone_at: Annotated[list[Moment], MOMENT.or_none] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""


class InterfaceQuery(PageQuery, InterfaceFilters):
    """Filters of a list of interfaces, which is by device and name unless ordered otherwise."""

    ordering: Annotated[str, Field(max_length=200)] = "device,name"
