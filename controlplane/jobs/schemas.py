"""Jobs on the wire."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from controlplane.jobs.models import Status
from controlplane.pagination import PageQuery


class JobRead(BaseModel):
    """A job: `done` of `total` steps; in the end its `result`, or its `problem` (RFC 9457)."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    status: Status
    done: int
    total: int | None
    actor_name: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancelling: bool
    result: dict[str, Any] | None
    problem: dict[str, Any] | None


class JobQuery(PageQuery):
    """Filters of the list of jobs."""

    kind: str | None = None
    status: Status | None = None
