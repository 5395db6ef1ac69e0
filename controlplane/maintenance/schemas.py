"""Maintenance windows on the wire."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime

from controlplane import lookups
from controlplane.devices.schemas import Description, Words
from controlplane.grammar import NOT_NULL, Moment, Name, Printable, TimeZone
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.maintenance import recurrence
from controlplane.pagination import PageQuery

MINUTE, MONTH = 60, 31 * 24 * 3600
FIRST_YEAR, LAST_YEAR = 2000, 2199


def _rule(text: str) -> str:
    if text:
        recurrence.parse(text)
    return text


def _wall(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment.replace(microsecond=0)


def _days(days: list[date]) -> list[date]:
    if any(not FIRST_YEAR <= day.year <= LAST_YEAR for day in days):
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return sorted(set(days))


Rule = Annotated[str, Field(max_length=500), AfterValidator(_rule)]
Wall = Annotated[NaiveDatetime, AfterValidator(_wall)]
Days = Annotated[list[date], Field(max_length=500), AfterValidator(_days)]
Seconds = Annotated[int, Field(ge=MINUTE, le=MONTH)]
Some = Field(max_length=1000)


class WindowFields(BaseModel):
    """What may be said about a window; a field left out keeps its value, or takes its default.

    It is about the named devices, those at the sites and below them, those that carry one of the
    tags, and those in the groups; with `dependants` also about what is reached through these alone.
    """

    model_config = ConfigDict(extra="forbid")

    description: Annotated[Description, NOT_NULL] = ""
    time_zone: Annotated[TimeZone, NOT_NULL] = "UTC"
    recurrence: Annotated[Rule, NOT_NULL] = ""  # RFC 5545; empty is once
    exceptions: Annotated[Days, NOT_NULL] = []  # days on which it does not start
    devices: Annotated[list[Name], Some, NOT_NULL] = []
    sites: Annotated[list[Name], Some, NOT_NULL] = []
    tags: Annotated[Words, NOT_NULL] = []
    groups: Annotated[list[Name], Some, NOT_NULL] = []
    dependants: Annotated[bool, NOT_NULL] = False


class WindowCreate(WindowFields):
    """A new window; `starts_at` is on the wall clock of `time_zone`, `duration` in seconds."""

    name: Name
    starts_at: Wall
    duration: Seconds


class WindowUpdate(WindowFields):
    """The fields of a window to change; with `version`, only if nobody else changed it since."""

    starts_at: Annotated[Wall | None, NOT_NULL] = None
    duration: Annotated[Seconds | None, NOT_NULL] = None
    version: int | None = None


class OccurrenceRead(BaseModel):
    """One time that a window is open, in UTC."""

    model_config = ConfigDict(from_attributes=True)

    start: datetime
    end: datetime


class WindowRead(BaseModel):
    """A window; of devices, sites and groups those that who asks can see.

    `occurrence` is the one that is open, or the next; none where all are over.
    """

    id: UUID
    name: str
    description: str
    starts_at: datetime
    duration: int
    time_zone: str
    recurrence: str
    exceptions: list[date]
    devices: list[str]
    sites: list[str]
    tags: list[str]
    groups: list[str]
    dependants: bool
    active: bool
    occurrence: OccurrenceRead | None
    created_by: str
    version: int
    created_at: datetime
    updated_at: datetime


@lookups.expanded
class WindowQuery(PageQuery):
    """Filters of the list of windows: those about a device, as it stands now."""

    name: Annotated[list[Name], TEXT] = NOT_GIVEN
    description: Annotated[list[Printable], TEXT] = NOT_GIVEN
    created_by: Annotated[list[Printable], TEXT] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    device: Annotated[list[Name], CHOICE] = NOT_GIVEN
    q: lookups.Search = ""


class OccurrenceQuery(BaseModel):
    """Which occurrences: from `after`, by default now, until `before`, by default a year later."""

    after: AwareDatetime | None = None
    before: AwareDatetime | None = None
