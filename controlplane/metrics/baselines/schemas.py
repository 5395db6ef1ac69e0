"""Baselines on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from controlplane import lookups
from controlplane.devices.schemas import Description
from controlplane.grammar import NOT_NULL, Moment, Name
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.metrics.baselines.models import Aggregate, By, Method
from controlplane.pagination import PageQuery


class BaselineUpdate(BaseModel):
    """What of a baseline to change; what it learns from is given once."""

    model_config = ConfigDict(extra="forbid")

    description: Annotated[Description, NOT_NULL] = ""
    enabled: Annotated[bool, NOT_NULL] = True


class BaselineCreate(BaselineUpdate):
    """A new baseline: a band for each site, or for each role."""

    name: Name
    aggregate: Aggregate
    method: Method = Method.ADAPTIVE
    by: By = By.SITE


class BaselineRead(BaseModel):
    """A baseline; `version` counts its changes, and is its ETag."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    description: str
    aggregate: Aggregate
    method: Method
    by: By
    enabled: bool
    version: int
    created_at: datetime
    updated_at: datetime


@lookups.expanded
class BaselineQuery(PageQuery):
    """Filters of the list of baselines; `q` finds parts of name or description."""

    name: Annotated[list[Name], TEXT] = NOT_GIVEN
    aggregate: Annotated[list[Aggregate], CHOICE] = NOT_GIVEN
    method: Annotated[list[Method], CHOICE] = NOT_GIVEN
    by: Annotated[list[By], CHOICE] = NOT_GIVEN
    enabled: Annotated[list[bool], CHOICE] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""
