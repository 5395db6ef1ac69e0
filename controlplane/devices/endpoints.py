"""Sites and devices over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from controlplane import pagination
from controlplane.auth.dependencies import CanReadDevices, CanWriteDevices
from controlplane.auth.permissions import Permission
from controlplane.database import Session
from controlplane.devices import document, inventory, queries, service
from controlplane.devices.models import Site
from controlplane.devices.schemas import (
    DeviceCreate,
    DeviceQuery,
    DeviceRead,
    DeviceUpdate,
    ImportDocument,
    ImportResult,
    SiteCreate,
    SiteQuery,
    SiteRead,
    SiteUpdate,
)
from controlplane.errors import Forbidden
from controlplane.grammar import Name
from controlplane.pagination import Page

sites = APIRouter(prefix="/api/v1/sites", tags=["sites"])
devices = APIRouter(prefix="/api/v1/devices", tags=["devices"])


@sites.get("")
async def list_sites(
    request: Request,
    session: Session,
    _actor: CanReadDevices,
    query: Annotated[SiteQuery, Query()],
) -> Page[SiteRead]:
    """List sites."""
    statement = pagination.ordered(
        queries.sites(query.name), query.ordering, queries.SITE_ORDERING, "name"
    )
    count, rows = await pagination.fetch(session, statement, query)
    return pagination.page(request.url, query, count, [SiteRead.model_validate(r) for r in rows])


@sites.post("", status_code=201, response_model=SiteRead)
async def create_site(data: SiteCreate, session: Session, _actor: CanWriteDevices) -> Site:
    """Add a site."""
    return await service.create_site(session, data)


@sites.get("/{name}", response_model=SiteRead)
async def get_site(name: Name, session: Session, _actor: CanReadDevices) -> Site:
    """Show a site."""
    return await service.get_site(session, name)


@sites.patch("/{name}", response_model=SiteRead)
async def update_site(
    name: Name, data: SiteUpdate, session: Session, _actor: CanWriteDevices
) -> Site:
    """Change a site."""
    return await service.update_site(session, name, data)


@sites.delete("/{name}", status_code=204)
async def delete_site(name: Name, session: Session, _actor: CanWriteDevices) -> None:
    """Remove a site; one at which devices stand stays (409)."""
    await service.delete_site(session, name)


@devices.get("")
async def list_devices(
    request: Request,
    session: Session,
    _actor: CanReadDevices,
    query: Annotated[DeviceQuery, Query()],
) -> Page[DeviceRead]:
    """List devices."""
    statement = pagination.ordered(
        queries.devices(query), query.ordering, queries.DEVICE_ORDERING, "name"
    )
    count, rows = await pagination.fetch(session, statement, query)
    return pagination.page(request.url, query, count, await inventory.read(session, rows))


@devices.post("", status_code=201)
async def create_device(
    data: DeviceCreate, session: Session, _actor: CanWriteDevices
) -> DeviceRead:
    """Add a device to the inventory."""
    return await service.create(session, data)


@devices.post("/import")
async def import_inventory(
    data: ImportDocument, request: Request, session: Session, actor: CanWriteDevices
) -> ImportResult:
    """Add or change credentials, sites and devices by name: all, or none and every error."""
    if data.credentials and Permission.CREDENTIALS_WRITE not in actor.permissions:
        raise Forbidden(f"{actor.name} lacks the permission {Permission.CREDENTIALS_WRITE.value}")
    return await document.apply(session, request.app.state.vault, data)


@devices.get("/{name}")
async def get_device(name: Name, session: Session, _actor: CanReadDevices) -> DeviceRead:
    """Show a device."""
    return await service.read(session, await service.get(session, name))


@devices.patch("/{name}")
async def update_device(
    name: Name, data: DeviceUpdate, session: Session, _actor: CanWriteDevices
) -> DeviceRead:
    """Change a device."""
    return await service.update(session, name, data)


@devices.delete("/{name}", status_code=204)
async def delete_device(name: Name, session: Session, _actor: CanWriteDevices) -> None:
    """Remove a device; one that is the way to others stays (409)."""
    await service.delete(session, name)
