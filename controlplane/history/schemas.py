"""The history of an object on the wire."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from controlplane.audit.models import Action, Kind
from controlplane.pagination import PageQuery


class HistoryQuery(PageQuery):
    """Which part of a history is wanted; the newest change comes first."""

    ordering: str = "-seq"


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
