"""Maintenance windows over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from controlplane import pagination, preconditions
from controlplane.auth.dependencies import CanReadMaintenance, CanWriteMaintenance
from controlplane.database import Session
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.maintenance import queries, service
from controlplane.maintenance.schemas import (
    OccurrenceQuery,
    OccurrenceRead,
    WindowCreate,
    WindowQuery,
    WindowRead,
    WindowUpdate,
)
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.retries.once import ONCE, Retryable

router = APIRouter(prefix="/api/v1/maintenance", tags=["maintenance"], route_class=Retryable)


@router.get("")
async def list_windows(
    request: Request,
    session: Session,
    actor: CanReadMaintenance,
    query: Annotated[WindowQuery, given(WindowQuery)],
) -> Page[WindowRead]:
    """List maintenance windows that were not cancelled."""
    listed = pagination.ordered(
        queries.windows(actor, query), query.ordering, queries.ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await service.read(session, actor, rows)
    return pagination.page(request.url, query, extent, results)


@router.post("", status_code=201, dependencies=[ONCE])
async def create_window(
    data: WindowCreate, response: Response, session: Session, actor: CanWriteMaintenance
) -> WindowRead:
    """Plan maintenance."""
    created = await service.create(session, actor, data)
    preconditions.tag(response, created.version)
    return created


@router.get("/{name}")
async def get_window(
    name: Name, response: Response, session: Session, actor: CanReadMaintenance
) -> WindowRead:
    """Show a window."""
    window = await service.get(session, actor, name)
    preconditions.tag(response, window.version)
    return (await service.read(session, actor, [window]))[0]


@router.patch("/{name}")
async def update_window(
    name: Name,
    data: WindowUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteMaintenance,
    if_match: IfMatch = None,
) -> WindowRead:
    """Change a window, also one that is open."""
    changed = await service.update(session, actor, name, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@router.delete("/{name}", status_code=204)
async def cancel_window(
    name: Name, session: Session, actor: CanWriteMaintenance, if_match: IfMatch = None
) -> None:
    """Cancel a window; one that is open ends now."""
    await service.cancel(session, actor, name, if_match)


@router.get("/{name}/devices")
async def list_covered_devices(
    name: Name, session: Session, actor: CanReadMaintenance
) -> list[str]:
    """Name the devices that a window covers as the inventory stands."""
    window = await service.get(session, actor, name)
    return await service.devices(session, actor, window)


@router.get("/{name}/occurrences")
async def list_occurrences(
    name: Name,
    session: Session,
    actor: CanReadMaintenance,
    query: Annotated[OccurrenceQuery, Query()],
) -> list[OccurrenceRead]:
    """Tell when a window is open, the first 400 times."""
    return service.occurrences(await service.get(session, actor, name), query)
