"""Events over HTTP: exporters tell of them, people read them."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from controlplane import bodies, pagination
from controlplane.auth.dependencies import CanReadDevices, CanReadSnapshot
from controlplane.database import Session
from controlplane.given import given
from controlplane.pagination import Page
from controlplane.traps import queries, service
from controlplane.traps.schemas import EventQuery, EventRead, EventsTold

router = APIRouter(prefix="/api/v1", tags=["events"])


class Taken(BaseModel):
    """How many events there were."""

    count: int


@router.post("/exporter/traps", openapi_extra=bodies.described(EventsTold))
async def receive_traps(request: Request, session: Session, _actor: CanReadSnapshot) -> Taken:
    """Take the traps that an exporter has received; one that is told again is the same."""
    data = await bodies.read(request, EventsTold)
    return Taken(count=await service.receive(session, data.events))


@router.get("/events")
async def list_events(
    request: Request,
    session: Session,
    actor: CanReadDevices,
    query: Annotated[EventQuery, given(EventQuery)],
) -> Page[EventRead]:
    """List the traps of the devices that one sees; what is no device's, to who sees them all."""
    listed = pagination.ordered(
        queries.events(actor, query), query.ordering, queries.ORDERING, "id"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = [EventRead.model_validate(row) for row in rows]
    return pagination.page(request.url, query, extent, results)
