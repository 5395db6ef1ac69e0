"""Thresholds over HTTP, and the scrape of intent."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from controlplane import database, pagination, preconditions
from controlplane.auth.dependencies import CanReadIntent, CanReadThresholds, CanWriteThresholds
from controlplane.auth.permissions import Permission
from controlplane.database import Session
from controlplane.devices import service as devices
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.metrics import queries, service
from controlplane.metrics.exposition import CONTENT_TYPE
from controlplane.metrics.intent import Live
from controlplane.metrics.schemas import (
    DefaultRead,
    InForceRead,
    ThresholdCreate,
    ThresholdQuery,
    ThresholdRead,
    ThresholdUpdate,
)
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.retries.once import ONCE, Retryable

thresholds = APIRouter(prefix="/api/v1/thresholds", tags=["thresholds"], route_class=Retryable)
device_thresholds = APIRouter(prefix="/api/v1/devices/{name}/thresholds", tags=["thresholds"])
intent = APIRouter(tags=["intent"])


@thresholds.get("")
async def list_thresholds(
    request: Request,
    session: Session,
    actor: CanReadThresholds,
    query: Annotated[ThresholdQuery, given(ThresholdQuery)],
) -> Page[ThresholdRead]:
    """List what was set, for all devices and for some."""
    listed = pagination.ordered(
        queries.thresholds(actor, query), query.ordering, queries.ORDERING, "id"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    return pagination.page(request.url, query, extent, await service.read(session, rows))


@thresholds.post("", status_code=201, dependencies=[ONCE])
async def create_threshold(
    data: ThresholdCreate, response: Response, session: Session, actor: CanWriteThresholds
) -> ThresholdRead:
    """Set the thresholds of a metric for the devices of a scope."""
    created = await service.create(session, actor, data)
    preconditions.tag(response, created.version)
    return created


@thresholds.get("/defaults")
async def list_defaults(_actor: CanReadThresholds) -> list[DefaultRead]:
    """Show the metrics that have thresholds, and what counts where nobody set any."""
    return service.defaults()


@thresholds.get("/{threshold}")
async def get_threshold(
    threshold: UUID, response: Response, session: Session, actor: CanReadThresholds
) -> ThresholdRead:
    """Show a threshold that was set."""
    found = await service.get(session, actor, threshold)
    preconditions.tag(response, found.version)
    return (await service.read(session, [found]))[0]


@thresholds.patch("/{threshold}")
async def update_threshold(
    threshold: UUID,
    data: ThresholdUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteThresholds,
    if_match: IfMatch = None,
) -> ThresholdRead:
    """Change the values of a threshold."""
    changed = await service.update(session, actor, threshold, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@thresholds.delete("/{threshold}", status_code=204)
async def delete_threshold(
    threshold: UUID, session: Session, actor: CanWriteThresholds, if_match: IfMatch = None
) -> None:
    """Take a threshold back: the next wider scope counts again."""
    await service.delete(session, actor, threshold, if_match)


@device_thresholds.get("")
async def list_device_thresholds(
    name: Name, session: Session, actor: CanReadThresholds
) -> list[InForceRead]:
    """Show what is in force for a device, and who says so."""
    device = await devices.get(session, actor, name, Permission.THRESHOLDS_READ)
    return await service.of_device(session, actor, device)


@intent.get("/metrics/intent", include_in_schema=False)
async def scrape_intent(request: Request, _actor: CanReadIntent) -> Response:
    """Expose what should be so: devices, ways, thresholds, and what is so at this moment."""
    state = request.app.state
    lend = partial(database.reading, state.sessions)
    content: bytes = await state.intent.recent(state.watch, lend)
    live: Live = await state.live_intent.recent(state.watch, lend)
    return Response(content + live.content, headers={"Content-Type": CONTENT_TYPE})
