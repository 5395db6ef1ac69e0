"""Interfaces over HTTP: those of all devices, and those of one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import bodies, pagination, preconditions
from controlplane.auth.dependencies import CanReadDevices, CanWriteDevices
from controlplane.database import Session
from controlplane.devices import service as devices
from controlplane.devices.interfaces import queries, service
from controlplane.devices.interfaces.schemas import (
    InterfaceChange,
    InterfaceDetail,
    InterfaceQuery,
    InterfaceRead,
    InterfaceUpdate,
)
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.rows import Rows, Written

router = APIRouter(prefix="/api/v1/interfaces", tags=["interfaces"])
of_device = APIRouter(prefix="/api/v1/devices/{name}/interfaces", tags=["interfaces"])


@router.get("")
async def list_interfaces(
    request: Request,
    session: Session,
    actor: CanReadDevices,
    query: Annotated[InterfaceQuery, given(InterfaceQuery)],
) -> Page[InterfaceRead]:
    """List interfaces; `?device=sw1&name=Gi1/0/1` finds one."""
    count = queries.count(actor, query)
    return await _page(request, session, query, queries.interface_ids(actor, query), count)


@router.patch("", openapi_extra=bodies.described(Rows[InterfaceChange]))
async def update_interfaces(request: Request, session: Session, actor: CanWriteDevices) -> Written:
    """Change all interfaces of a list, or none; 412 names those that are not the `version`."""
    items = (await bodies.read(request, Rows[InterfaceChange])).root
    return await service.update_many(session, actor, items)


@router.get("/{interface_id}")
async def get_interface(
    interface_id: UUID, response: Response, session: Session, actor: CanReadDevices
) -> InterfaceDetail:
    """Show an interface, and what has changed about it."""
    interface = await service.get(session, actor, interface_id)
    preconditions.tag(response, interface.version)
    return await service.detail(session, interface)


@router.patch("/{interface_id}")
async def update_interface(
    interface_id: UUID,
    data: InterfaceUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteDevices,
    if_match: IfMatch = None,
) -> InterfaceDetail:
    """Change what an operator says of an interface."""
    changed = await service.update(session, actor, interface_id, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@of_device.get("")
async def list_device_interfaces(
    name: Name,
    request: Request,
    *,
    session: Session,
    actor: CanReadDevices,
    query: Annotated[InterfaceQuery, given(InterfaceQuery)],
) -> Page[InterfaceRead]:
    """List the interfaces of a device."""
    device = await devices.get(session, actor, name)
    found = queries.interface_ids(actor, query).where(queries.of_device(device.name))
    return await _page(request, session, query, found)


async def _page(
    request: Request,
    session: AsyncSession,
    query: InterfaceQuery,
    found: Select[tuple[UUID]],
    count: Select[tuple[int]] | None = None,
) -> Page[InterfaceRead]:
    listed = pagination.ordered(found, query.ordering, queries.ORDERING, "id", count=count)
    extent, ids = await pagination.fetch(session, listed, query)
    return pagination.page(request.url, query, extent, await service.shown(session, ids))
