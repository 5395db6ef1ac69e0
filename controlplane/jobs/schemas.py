"""Jobs on the wire."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from controlplane import lookups
from controlplane.grammar import Moment, Printable, Word
from controlplane.jobs.models import Status
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
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


@lookups.expanded
class JobQuery(PageQuery):
    """Filters of the list of jobs."""

    kind: Annotated[list[Word], TEXT] = NOT_GIVEN
    status: Annotated[list[Status], CHOICE] = NOT_GIVEN
    actor_name: Annotated[list[Printable], TEXT] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    finished_at: Annotated[list[Moment], MOMENT.or_none] = NOT_GIVEN
