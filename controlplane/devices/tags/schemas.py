"""Tags on the wire."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from controlplane import lookups
from controlplane.grammar import Word
from controlplane.lookups import NOT_GIVEN, NUMBER, TEXT
from controlplane.pagination import PageQuery


class TagRead(BaseModel):
    """A tag, and how many devices carry it, of those that the reader sees."""

    name: str
    devices: int


class TagUpdate(BaseModel):
    """What a tag is to be called; a tag that is there already takes its devices."""

    model_config = ConfigDict(extra="forbid")

    name: Word


@lookups.expanded
class TagQuery(PageQuery):
    """Filters of the list of tags; `q` finds parts of the name."""

    name: Annotated[list[Word], TEXT] = NOT_GIVEN
    devices: Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], NUMBER] = NOT_GIVEN
    q: lookups.Search = ""
