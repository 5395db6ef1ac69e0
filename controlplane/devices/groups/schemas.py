"""Device groups on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from controlplane import lookups
from controlplane.devices.catalogue.schemas import Renamed
from controlplane.devices.schemas import Description, Names, Words
from controlplane.grammar import NOT_NULL, Label, Moment, Name, matching
from controlplane.lookups import MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery
from controlplane.rows import Key

# Of names, and with few stars: what a pattern costs is bounded, whoever writes it.
STARS = 4
PATTERN = rf"(?:[a-z0-9._?-]*\*){{0,{STARS}}}[a-z0-9._?-]*"
GRAMMAR = (
    "made of the characters of names, with `?` for any one character"
    f" and at most {STARS} `*` for any text"
)
MOST = 64

Pattern = Annotated[str, Field(max_length=63), matching(PATTERN, GRAMMAR)]
Labels = Annotated[list[Annotated[Label, Field(min_length=1)]], Field(max_length=MOST)]


class Filter(BaseModel):
    """What a device must be, all of it; what is left out asks nothing, but something must be asked.

    `site` is meant with all sites below it; of `roles`, `vendors` and `tags_any` one is enough.
    """

    model_config = ConfigDict(extra="forbid")

    site: Name | None = None
    roles: Names = []
    vendors: Labels = []
    tags_any: Words = []
    tags_all: Words = []
    pattern: Pattern = ""

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("a filter that asks nothing would hold every device")
        return self


class GroupFields(BaseModel):
    """What may be said about a group that is there; a filter is replaced as a whole."""

    model_config = ConfigDict(extra="forbid")

    description: Annotated[Description, NOT_NULL] = ""
    filter: Annotated[Filter | None, NOT_NULL] = None


class GroupUpdate(GroupFields, Renamed):
    """The fields of a group to change."""


class GroupChange(GroupFields, Key):
    """A group of a list, and the fields of it to change."""


class GroupCreate(BaseModel):
    """A new group."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = ""
    filter: Filter


class FilterRead(BaseModel):
    """What a device must be to belong to the group."""

    site: str | None
    roles: list[str]
    vendors: list[str]
    tags_any: list[str]
    tags_all: list[str]
    pattern: str


class GroupRead(BaseModel):
    """A group; `version` counts its changes, and is its ETag."""

    id: UUID
    name: str
    description: str
    filter: FilterRead
    version: int
    created_at: datetime
    updated_at: datetime


@lookups.expanded
class GroupQuery(PageQuery):
    """Filters of the list of groups; `q` finds parts of name or description."""

    name: Annotated[list[Name], TEXT] = NOT_GIVEN
    description: Annotated[list[Description], TEXT] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""
