"""The audit log on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from controlplane import lookups
from controlplane.audit.models import Action, Kind, Outcome
from controlplane.grammar import Moment, Printable
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery

Text = Annotated[Printable, Field(max_length=255)]


@lookups.expanded
class AuditFilter(BaseModel):
    """What an entry must be like: everything that is given holds; `until` itself is not in."""

    action: Annotated[list[Action], CHOICE] = NOT_GIVEN
    outcome: Annotated[list[Outcome], CHOICE] = NOT_GIVEN
    actor: Annotated[list[Text], TEXT] = NOT_GIVEN
    actor_kind: Annotated[list[Kind], CHOICE] = NOT_GIVEN
    address: Annotated[list[Text], TEXT] = NOT_GIVEN
    request_id: Annotated[list[Text], CHOICE] = NOT_GIVEN
    object_type: Annotated[list[Text], CHOICE] = NOT_GIVEN
    object_name: Annotated[list[Text], TEXT] = NOT_GIVEN
    at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    since: Moment | None = None
    until: Moment | None = None
    q: lookups.Search = ""


class AuditQuery(AuditFilter, PageQuery):
    """Filters of the list of entries; the newest comes first unless `ordering` says otherwise."""

    ordering: Text = "-seq"


class Format(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"


class ExportQuery(AuditFilter):
    """Filters of an export, and its format."""

    format: Format = Format.JSONL


class AuditRead(BaseModel):
    """One thing that was done."""

    model_config = ConfigDict(from_attributes=True)

    seq: int
    at: datetime
    action: Action
    outcome: Outcome
    actor_kind: Kind
    actor_id: str
    actor_name: str
    address: str
    request_id: str
    object_type: str
    object_id: str
    object_name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    mac: str
