"""Channels, routes and notices on the wire; secrets go in and never come out."""

import re
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from controlplane import lookups
from controlplane.devices.catalogue.schemas import Team
from controlplane.grammar import NOT_NULL, Label, Moment, Name, Printable, Word
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.notifications.caps import Cap
from controlplane.notifications.kinds import Options
from controlplane.notifications.models import RoutingStatus
from controlplane.pagination import PageQuery

DAY_SECONDS = 24 * 3600.0
TIME_OF_DAY = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00"


class ChannelCreate(BaseModel):
    """A new channel."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    send_resolved: bool = True
    cap: Cap | None = None
    options: Options


class ChannelUpdate(BaseModel):
    """What to change; of `options` the given fields, and null empties one. The kind stays.

    A `cap` is given as a whole, and null takes it away.
    """

    model_config = ConfigDict(extra="forbid")

    send_resolved: Annotated[bool | None, NOT_NULL] = None
    cap: Cap | None = None
    options: dict[str, Any] = {}


class ChannelRead(BaseModel):
    """A channel without its secrets; `secrets` names those that are set.

    `built_in` ones come from the settings of the installation and are changed there.
    """

    name: str
    kind: str
    send_resolved: bool
    cap: Cap | None
    options: dict[str, Any]
    secrets: list[str]
    built_in: bool
    problem: str  # why this installation cannot use it; empty where it can
    version: int  # 0 of built-in ones
    updated_at: datetime | None


class ChannelQuery(PageQuery):
    """The list of channels, by name unless `ordering` says otherwise."""


class Result(StrEnum):
    """What came of a test."""

    DELIVERED = "delivered"  # the service at the other end took it; not that somebody saw it
    FAILED = "failed"
    MUTED = "muted"  # a silence of somebody covers it
    UNCLEAR = "unclear"


class TestRead(BaseModel):
    """What came of a test notification, in words, and after how many seconds that was known."""

    result: Result
    detail: str
    seconds: float


@cache
def _zones() -> frozenset[str]:
    """Give the names of time zones, which are looked up on disk once."""
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("must be a time zone such as Europe/Berlin")
    return name


def _time(text: str) -> str:
    if not re.fullmatch(TIME_OF_DAY, text):
        raise ValueError("must be a time of day such as 22:00, at most 24:00")
    return text


Time = Annotated[str, AfterValidator(_time)]
Severity = Literal["critical", "warning", "info"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
GroupLabel = Literal[
    "alertname", "site", "role", "team", "device", "severity", "alertclass", "vendor"
]
Seconds = Annotated[float, Field(ge=0, le=7 * DAY_SECONDS)]
Some = Field(max_length=200)


class Quiet(BaseModel):
    """Hours in which nobody is told; an end that is not after the start is on the next day."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[list[Weekday], Field(max_length=7)] = []  # none given: every day
    start: Time
    end: Time
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"


class RouteOptions(BaseModel):
    """Which alerts: those that have one of the values of every list that is not empty.

    Alerts of severity info are told only where `severities` names them. What still fires at the
    end of quiet hours is told then. `stop` keeps later routes, and the default, from telling, too.
    """

    model_config = ConfigDict(extra="forbid")

    severities: Annotated[list[Severity], Some] = []
    sites: Annotated[list[Label], Some] = []
    roles: Annotated[list[Label], Some] = []
    teams: Annotated[list[Team], Some] = []
    alertclasses: Annotated[list[Literal["cause", "symptom", "stack"]], Some] = []
    alertnames: Annotated[list[Word], Some] = []
    quiet: Annotated[list[Quiet], Field(max_length=20)] = []
    group_by: Annotated[list[GroupLabel], Field(max_length=8)] | None = None
    group_wait: Seconds | None = None
    group_interval: Annotated[Seconds, Field(ge=1)] | None = None
    repeat_interval: Annotated[Seconds, Field(ge=60)] | None = None
    stop: bool = False


class RouteWrite(RouteOptions):
    """A route; those of a lower `position` are asked first."""

    position: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    channels: Annotated[list[Name], Field(min_length=1, max_length=50)]


class RouteRead(RouteWrite):
    """A route as it is kept."""

    name: str
    version: int
    updated_at: datetime


class RevisionRead(BaseModel):
    """One configuration of Alertmanager, without secrets, and how putting it in force went."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    revision: str
    status: RoutingStatus
    detail: str
    left_out: dict[str, str]
    document: str
    running: bool
    created_at: datetime
    confirmed_at: datetime


def _storable(text: str) -> str:
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL stores no NUL


Told = Annotated[str, AfterValidator(_storable)]


class InboxAlert(BaseModel):
    """One alert of a notification of Alertmanager to the inbox."""

    status: Literal["firing", "resolved"]
    labels: dict[Told, Told]
    annotations: dict[Told, Told] = {}
    startsAt: AwareDatetime  # noqa: N815 - Alertmanager's spelling
    endsAt: AwareDatetime | None = None  # noqa: N815 - year 1 while the alert fires
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{1,64}$")]


class InboxMessage(BaseModel):
    """A notification of Alertmanager (webhook, version 4)."""

    version: Literal["4"]
    alerts: list[InboxAlert]


class Counted(BaseModel):
    """How many there were."""

    count: int


class NoticeItem(BaseModel):
    """A notice, and whether who asks has read it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    alertname: str
    severity: str
    device: str
    site: str
    summary: str
    description: str
    value: str
    threshold: str
    runbook_url: str
    dashboard_url: str
    starts_at: datetime
    ends_at: datetime | None
    received_at: datetime
    read: bool


@lookups.expanded
class NoticeQuery(PageQuery):
    """Filters of an inbox; the newest comes first unless `ordering` says otherwise."""

    ordering: Annotated[Printable, Field(max_length=200)] = "-received_at"
    severity: Annotated[list[Printable], CHOICE] = NOT_GIVEN
    alertname: Annotated[list[Printable], TEXT] = NOT_GIVEN
    device: Annotated[list[Printable], TEXT] = NOT_GIVEN
    site: Annotated[list[Printable], TEXT] = NOT_GIVEN
    starts_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    ends_at: Annotated[list[Moment], MOMENT.or_none] = NOT_GIVEN
    received_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    read: bool | None = None
    q: lookups.Search = ""
