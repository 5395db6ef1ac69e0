"""Events on the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress

from controlplane import lookups
from controlplane.grammar import Moment, Printable
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery

MOST_EVENTS, MOST_VARBINDS = 1000, 128
Severity = Literal["critical", "warning", "info"]
Oid = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$", max_length=1500)]
Short = Annotated[Printable, Field(max_length=255)]
Text = Annotated[Printable, Field(max_length=1000)]


class Varbind(BaseModel):
    """A value that came with a trap, as text."""

    model_config = ConfigDict(extra="forbid")

    oid: Oid
    value: Text


class EventTold(BaseModel):
    """A trap as an exporter tells of it; `trap` is its name in the exporter's tables."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    at: Moment
    device: Short
    source: IPvAnyAddress
    trap: Short
    oid: Oid
    severity: Severity
    text: Text
    varbinds: Annotated[list[Varbind], Field(max_length=MOST_VARBINDS)]


class EventsTold(BaseModel):
    """What an exporter has received."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[EventTold], Field(max_length=MOST_EVENTS)]


class EventRead(BaseModel):
    """A trap that a device sent, in words."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    device: str
    source: str
    trap: str
    oid: str
    severity: str
    text: str
    varbinds: list[Varbind]
    received_at: datetime


@lookups.expanded
class EventQuery(PageQuery):
    """Filters of events; the newest comes first unless `ordering` says otherwise."""

    ordering: Annotated[Printable, Field(max_length=200)] = "-at"
    at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    device: Annotated[list[Printable], TEXT] = NOT_GIVEN
    source: Annotated[list[Printable], TEXT] = NOT_GIVEN
    trap: Annotated[list[Printable], TEXT] = NOT_GIVEN
    oid: Annotated[list[Printable], TEXT] = NOT_GIVEN
    severity: Annotated[list[Severity], CHOICE] = NOT_GIVEN
    text: Annotated[list[Printable], TEXT] = NOT_GIVEN
    received_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""
