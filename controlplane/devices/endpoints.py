"""Sites and devices over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from controlplane import bodies, pagination
from controlplane.auth.dependencies import (
    CanReadDevices,
    CanReadSites,
    CanWriteDevices,
    CanWriteSites,
    require,
)
from controlplane.auth.permissions import Permission
from controlplane.database import Session
from controlplane.devices import document, inventory, queries, service
from controlplane.devices import sites as site_service
from controlplane.devices.addresses import Reach
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
from controlplane.grammar import Name
from controlplane.pagination import Page

sites = APIRouter(prefix="/api/v1/sites", tags=["sites"])
devices = APIRouter(prefix="/api/v1/devices", tags=["devices"])


@sites.get("")
async def list_sites(
    request: Request,
    session: Session,
    actor: CanReadSites,
    query: Annotated[SiteQuery, Query()],
) -> Page[SiteRead]:
    """List sites."""
    listed = pagination.ordered(
        queries.sites(actor, query), query.ordering, queries.SITE_ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await site_service.read(session, actor, rows)
    return pagination.page(request.url, query, extent, results)


@sites.post("", status_code=201)
async def create_site(data: SiteCreate, session: Session, actor: CanWriteSites) -> SiteRead:
    """Add a site."""
    return await site_service.create(session, actor, data)


@sites.get("/{name}")
async def get_site(name: Name, session: Session, actor: CanReadSites) -> SiteRead:
    """Show a site."""
    site = await site_service.get(session, actor, name)
    return (await site_service.read(session, actor, [site]))[0]


@sites.patch("/{name}")
async def update_site(
    name: Name, data: SiteUpdate, session: Session, actor: CanWriteSites
) -> SiteRead:
    """Change a site."""
    return await site_service.update(session, actor, name, data)


@sites.delete("/{name}", status_code=204)
async def delete_site(name: Name, session: Session, actor: CanWriteSites) -> None:
    """Remove a site; one that holds devices, sites or somebody's role stays (409)."""
    await site_service.delete(session, actor, name)


@devices.get("")
async def list_devices(
    request: Request,
    session: Session,
    actor: CanReadDevices,
    query: Annotated[DeviceQuery, Query()],
) -> Page[DeviceRead]:
    """List devices."""
    listed = pagination.ordered(
        queries.devices(actor, query), query.ordering, queries.DEVICE_ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await inventory.read(session, actor, rows)
    return pagination.page(request.url, query, extent, results)


@devices.post("", status_code=201)
async def create_device(
    data: DeviceCreate, request: Request, session: Session, actor: CanWriteDevices
) -> DeviceRead:
    """Add a device to the inventory."""
    Reach.of(request.app.state.settings).check([("/address", data.address)])
    return await service.create(session, actor, data)


@devices.post("/import", openapi_extra=bodies.described(ImportDocument))
async def import_inventory(
    request: Request, session: Session, actor: CanWriteDevices
) -> ImportResult:
    """Add or change credentials, sites and devices by name: all, or none and every error."""
    data = await bodies.read(request, ImportDocument)
    if data.credentials:  # everywhere, as for writing one alone: it may serve devices anywhere
        require(actor, Permission.CREDENTIALS_WRITE, everywhere=True)
    if data.sites:
        require(actor, Permission.SITES_WRITE)
    document.check_addresses(Reach.of(request.app.state.settings), data)
    return await document.apply(session, actor, request.app.state.vault, data)


@devices.get("/{name}")
async def get_device(name: Name, session: Session, actor: CanReadDevices) -> DeviceRead:
    """Show a device."""
    return await service.read(session, actor, await service.get(session, actor, name))


@devices.patch("/{name}")
async def update_device(
    name: Name,
    data: DeviceUpdate,
    request: Request,
    session: Session,
    actor: CanWriteDevices,
) -> DeviceRead:
    """Change a device."""
    Reach.of(request.app.state.settings).check([("/address", data.address)])
    return await service.update(session, actor, name, data)


@devices.delete("/{name}", status_code=204)
async def delete_device(name: Name, session: Session, actor: CanWriteDevices) -> None:
    """Remove a device; one that is the way to others stays (409)."""
    await service.delete(session, actor, name)
