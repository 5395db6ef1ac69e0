"""The history of an object on the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from controlplane import lookups
from controlplane.audit.models import Action, Kind
from controlplane.grammar import Moment, Printable
from controlplane.history.nouns import Noun
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery

Text = Annotated[Printable, Field(max_length=255)]


class HistoryQuery(PageQuery):
    """Which part of a history is wanted; the newest change comes first."""

    ordering: str = "-seq"


@lookups.expanded
class ChangesQuery(HistoryQuery):
    """Which changes of all objects are wanted: everything that is given holds."""

    object_type: Annotated[list[Noun], CHOICE] = NOT_GIVEN
    name: Annotated[list[Text], TEXT] = NOT_GIVEN
    action: Annotated[list[Action], CHOICE] = NOT_GIVEN
    actor_name: Annotated[list[Text], TEXT] = NOT_GIVEN
    request_id: Annotated[list[Text], CHOICE] = NOT_GIVEN
    at: Annotated[list[Moment], MOMENT] = NOT_GIVEN


class Difference(BaseModel):
    """A field that became another; None where there was none."""

    field: str
    before: Any
    after: Any


class ChangeRead(BaseModel):
    """One thing that was done to the object; what one request did shares its `request_id`.

    `address` is for those who read the audit log, and empty for others.
    """

    seq: int
    at: datetime
    action: Action
    actor_kind: Kind
    actor_name: str
    address: str
    request_id: str
    name: str
    fields: list[Difference]


class ChangeOf(ChangeRead):
    """One thing that was done, and to what."""

    object_type: Noun
    object_id: str
