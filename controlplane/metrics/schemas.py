"""Thresholds on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from controlplane import lookups
from controlplane.grammar import NOT_NULL, Label, Moment, Name
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, NUMBER, TEXT
from controlplane.metrics.models import Metric, Scope
from controlplane.pagination import PageQuery

HEAVIEST = 1000

Value = Annotated[float, Field(allow_inf_nan=False)]
Weight = Annotated[int, Field(ge=-HEAVIEST, le=HEAVIEST)]
Role = Annotated[Label, Field(min_length=1)]


class Named(BaseModel):
    """The devices that a threshold is for, by name."""

    scope: Scope
    role: str | None = None
    site: str | None = None
    group: str | None = None
    device: str | None = None

    @property
    def target(self) -> str | None:
        """What the scope is about."""
        return self.role or self.site or self.group or self.device

    @property
    def whose(self) -> str:
        """Say it in words."""
        return "all devices" if self.target is None else f"{self.scope.value} {self.target!r}"


class ThresholdCreate(Named):
    """The values of a metric above which alerts fire, and the devices that they are for.

    All devices, or those of a role, at a site or below it, in a group, or one. Of several groups
    that hold a device the one with the greatest `weight` counts, of equal ones the strictest.
    """

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    site: Name | None = None
    group: Name | None = None
    device: Name | None = None
    metric: Metric
    warning: Value
    critical: Value
    weight: Weight = 0

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        given = {
            Scope.ROLE: self.role,
            Scope.SITE: self.site,
            Scope.GROUP: self.group,
            Scope.DEVICE: self.device,
        }
        for scope, value in given.items():
            if (scope is self.scope) != (value is not None):
                raise ValueError(f"{scope.value} is given with scope {scope.value!r} and only then")
        if self.weight and self.scope is not Scope.GROUP:
            raise ValueError("weight is given with scope 'group' and only then")
        return self


class ThresholdUpdate(BaseModel):
    """The fields of a threshold to change."""

    model_config = ConfigDict(extra="forbid")

    warning: Annotated[Value | None, NOT_NULL] = None
    critical: Annotated[Value | None, NOT_NULL] = None
    weight: Annotated[Weight | None, NOT_NULL] = None


class ThresholdRead(Named):
    """A threshold that was set; `version` counts its changes, and is its ETag."""

    id: UUID
    metric: Metric
    warning: float
    critical: float
    weight: int
    version: int
    created_at: datetime
    updated_at: datetime


class SourceRead(BaseModel):
    """Who says so: `default`, or the scope of what was set.

    `name` is that of the role, site, group or device, and none of what the reader does not see.
    """

    scope: str
    name: str | None


class InForceRead(BaseModel):
    """The thresholds of a metric that are in force for a device."""

    metric: Metric
    warning: float
    critical: float
    source: SourceRead


class DefaultRead(BaseModel):
    """A metric that has thresholds, and those that count where nobody set any.

    A threshold is above `low` and at most `high`.
    """

    metric: Metric
    unit: str
    low: float
    high: float
    warning: float
    critical: float


@lookups.expanded
class ThresholdQuery(PageQuery):
    """Filters of the list of thresholds; `q` finds parts of the names they are for."""

    ordering: str = "scope,metric"
    scope: Annotated[list[Scope], CHOICE] = NOT_GIVEN
    metric: Annotated[list[Metric], CHOICE] = NOT_GIVEN
    role: Annotated[list[Role], TEXT.or_none] = NOT_GIVEN
    site: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    group: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    device: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    weight: Annotated[list[Weight], NUMBER] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""
