"""The audit log on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from controlplane.audit.models import Action, Kind, Outcome
from controlplane.grammar import Printable
from controlplane.pagination import PageQuery

Text = Annotated[Printable, Field(max_length=255)]


class AuditFilter(BaseModel):
    """What an entry must be like: everything that is given holds; `until` itself is not in."""

    action: Action | None = None
    outcome: Outcome | None = None
    actor: Text | None = None
    actor_kind: Kind | None = None
    address: Text | None = None
    request_id: Text | None = None
    object_type: Text | None = None
    object_name: Text | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


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
