"""On-call schedules and escalation policies on the wire."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated, Literal, Self, get_args
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from controlplane import lookups
from controlplane.devices.catalogue.schemas import Team
from controlplane.devices.schemas import Description
from controlplane.escalation.rotation import Hours, Layer
from controlplane.grammar import Label, Name, Printable, TimeZone, Word
from controlplane.grammar import Moment as UtcMoment
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEK: tuple[str, ...] = get_args(Weekday)
Severity = Literal["critical", "warning", "info"]
FIRST_YEAR, LAST_YEAR = 2000, 2199
MINUTE_SECONDS = 60.0
WEEK_SECONDS = 7 * 24 * 3600.0


def _plain(at: time) -> time:
    if at.tzinfo is not None or at.second or at.microsecond:
        raise ValueError("must be a time of day such as 09:00, without seconds or an offset")
    return at


def _day(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def _moment(moment: datetime) -> datetime:
    _day(moment.date())
    return moment


TimeOfDay = Annotated[time, AfterValidator(_plain)]
Day = Annotated[date, AfterValidator(_day)]
Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
Some = Field(max_length=200)


class HoursFields(BaseModel):
    """When a layer counts; an end of 00:00 is the end of the day."""

    model_config = ConfigDict(extra="forbid")

    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)] = [*get_args(Weekday)]
    start: TimeOfDay = time()
    end: TimeOfDay = time()

    def hours(self) -> Hours:
        """Give the hours that these fields describe."""
        return Hours(frozenset(WEEK.index(day) for day in self.weekdays), self.start, self.end)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end != time() and self.end <= self.start:
            raise ValueError("hours end after they start; take two layers for a night")
        return self


class LayerFields(BaseModel):
    """People who take turns of `days` days each, the first one from `first_day` on."""

    model_config = ConfigDict(extra="forbid")

    people: Annotated[list[Name], Field(min_length=1, max_length=100)]
    first_day: Day
    days: Annotated[int, Field(ge=1, le=366)] = 7
    handover: TimeOfDay = time(9)
    hours: HoursFields | None = None

    def layer(self) -> Layer:
        """Give the layer that these fields describe."""
        hours = None if self.hours is None else self.hours.hours()
        return Layer(tuple(self.people), self.first_day, self.days, self.handover, hours)


class ScheduleWrite(BaseModel):
    """A schedule; of several layers the last one that counts says who is on call."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = ""
    time_zone: TimeZone = "UTC"
    layers: Annotated[list[LayerFields], Field(min_length=1, max_length=20)]


class ScheduleRead(ScheduleWrite):
    """A schedule, and who is on call now."""

    on_call: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class OverrideWrite(BaseModel):
    """Somebody stands in."""

    model_config = ConfigDict(extra="forbid")

    person: Name
    starts_at: Moment
    ends_at: Moment

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("it ends after it starts")
        return self


class OverrideRead(BaseModel):
    """Somebody who stands in."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    person: str
    starts_at: datetime
    ends_at: datetime
    created_by: str


class TurnRead(BaseModel):
    """Who is on call from when until when; nobody where `person` is null."""

    model_config = ConfigDict(from_attributes=True)

    start: datetime
    end: datetime
    person: str | None


class OnCall(BaseModel):
    """Who is on call at a moment, and the channel by which they are told, if one is known."""

    at: datetime
    person: str | None
    channel: str | None


class WhoQuery(BaseModel):
    """The moment that is asked about; by default now."""

    at: Moment | None = None


class TurnsQuery(BaseModel):
    """Which turns: from `after`, by default now, for `days` days."""

    after: Moment | None = None
    days: Annotated[int, Field(ge=1, le=92)] = 28


class ContactWrite(BaseModel):
    """The channel by which somebody is told."""

    model_config = ConfigDict(extra="forbid")

    channel: Name


class ContactRead(ContactWrite):
    """Somebody, and the channel by which they are told."""

    model_config = ConfigDict(from_attributes=True)

    person: str


class StepFields(BaseModel):
    """Whom to tell once nobody has had the alert for `after` seconds."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[float, Field(ge=0, le=WEEK_SECONDS)]
    channels: Annotated[list[Name], Field(max_length=20)] = []
    schedules: Annotated[list[Name], Field(max_length=20)] = []

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.channels and not self.schedules:
            raise ValueError("a step tells a channel or whoever is on call")
        return self


def _rising(steps: list[StepFields]) -> list[StepFields]:
    if [step.after for step in steps] != sorted({step.after for step in steps}):
        raise ValueError("each step comes later than the one before")
    return steps


class PolicyFields(BaseModel):
    """Which alerts: those that have one of the values of every list that is not empty.

    The steps begin again `repeat` times, each time `repeat_after` seconds after the last one.
    """

    model_config = ConfigDict(extra="forbid")

    severities: Annotated[list[Severity], Some] = ["critical"]
    sites: Annotated[list[Label], Some] = []
    roles: Annotated[list[Label], Some] = []
    teams: Annotated[list[Team], Some] = []
    alertnames: Annotated[list[Word], Some] = []
    steps: Annotated[list[StepFields], Field(min_length=1, max_length=20), AfterValidator(_rising)]
    repeat: Annotated[int, Field(ge=0, le=20)] = 0
    repeat_after: Annotated[float, Field(ge=MINUTE_SECONDS, le=WEEK_SECONDS)] = 900

    def fits(self, labels: dict[str, str]) -> bool:
        """Say whether an alert of these labels is escalated by it."""
        wanted: dict[str, Sequence[str]] = {
            "severity": self.severities,
            "site": self.sites,
            "role": self.roles,
            "team": self.teams,
            "alertname": self.alertnames,
        }
        return all(labels.get(name, "") in some for name, some in wanted.items() if some)


class PolicyWrite(PolicyFields):
    """A policy; of several that fit an alert the one of the lowest position counts."""

    name: Name
    position: Annotated[int, Field(ge=0, le=1_000_000)] = 100


class PolicyRead(PolicyWrite):
    """A policy as it is kept."""

    version: int
    created_at: datetime
    updated_at: datetime


@lookups.expanded
class ScheduleQuery(PageQuery):
    """Filters of the list of schedules, by name unless `ordering` says otherwise."""

    name: Annotated[list[Name], TEXT] = NOT_GIVEN
    created_at: Annotated[list[UtcMoment], MOMENT] = NOT_GIVEN


@lookups.expanded
class PolicyQuery(PageQuery):
    """Filters of the list of policies, in the order in which they are asked."""

    ordering: Annotated[str, Field(max_length=200)] = "position"
    name: Annotated[list[Name], TEXT] = NOT_GIVEN


class TellingRead(BaseModel):
    """Somebody who was told; `position` counts on where the steps begin again."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    channel: str
    person: str
    schedule: str
    told_at: datetime
    live: bool


class EscalationRead(BaseModel):
    """How far an alert was escalated; `waited_seconds` is how long nobody has had it so far."""

    alert_id: UUID
    policy: str
    steps: list[StepFields]
    repeat: int
    repeat_after: float
    waited_seconds: float
    counting: bool
    tellings: list[TellingRead]
    created_at: datetime
    closed_at: datetime | None


@lookups.expanded
class EscalationQuery(PageQuery):
    """Filters of the list of escalations: of one alert, or those under way."""

    ordering: Annotated[str, Field(max_length=200)] = "-created_at"
    alert: Annotated[list[UUID], CHOICE] = NOT_GIVEN
    policy: Annotated[list[Printable], TEXT] = NOT_GIVEN
    created_at: Annotated[list[UtcMoment], MOMENT] = NOT_GIVEN
    closed_at: Annotated[list[UtcMoment], MOMENT.or_none] = NOT_GIVEN
    open: bool | None = None
