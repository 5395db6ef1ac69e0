"""Sites and devices over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from controlplane import bodies, pagination, preconditions
from controlplane.auth.dependencies import (
    CanReadDevices,
    CanReadSites,
    CanWriteDevices,
    CanWriteSites,
    require,
)
from controlplane.auth.permissions import Permission
from controlplane.database import Session
from controlplane.devices import bulk, document, inventory, queries, service
from controlplane.devices import sites as site_service
from controlplane.devices.addresses import Reach
from controlplane.devices.schemas import (
    DeviceChange,
    DeviceCreate,
    DeviceQuery,
    DeviceRead,
    DeviceUpdate,
    ImportDocument,
    ImportResult,
    SiteChange,
    SiteCreate,
    SiteQuery,
    SiteRead,
    SiteUpdate,
)
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.pagination import Page
from controlplane.preconditions import IfMatch
from controlplane.retries.once import ONCE, Retryable
from controlplane.rows import FewerRows, Key, Rows, Written

sites = APIRouter(prefix="/api/v1/sites", tags=["sites"], route_class=Retryable)
devices = APIRouter(prefix="/api/v1/devices", tags=["devices"], route_class=Retryable)


@sites.get("")
async def list_sites(
    request: Request,
    session: Session,
    actor: CanReadSites,
    query: Annotated[SiteQuery, given(SiteQuery)],
) -> Page[SiteRead]:
    """List sites."""
    listed = pagination.ordered(
        queries.sites(actor, query), query.ordering, queries.SITE_ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await site_service.read(session, actor, rows)
    return pagination.page(request.url, query, extent, results)


@sites.post(
    "",
    status_code=201,
    dependencies=[ONCE],
    openapi_extra=bodies.described(SiteCreate, FewerRows[SiteCreate]),
)
async def create_site(
    request: Request, response: Response, session: Session, actor: CanWriteSites
) -> SiteRead | Written:
    """Add a site, or all of a list."""
    data = await bodies.one_or_many(request, SiteCreate, FewerRows[SiteCreate])
    if isinstance(data, FewerRows):
        return await site_service.create_many(session, actor, data.root)
    created = await site_service.create(session, actor, data)
    preconditions.tag(response, created.version)
    return created


@sites.patch("", openapi_extra=bodies.described(FewerRows[SiteChange]))
async def update_sites(request: Request, session: Session, actor: CanWriteSites) -> Written:
    """Change all sites of a list, or none; 412 names those that are not the `version` given."""
    items = (await bodies.read(request, FewerRows[SiteChange])).root
    return await site_service.update_many(session, actor, items)


@sites.delete("", status_code=204, openapi_extra=bodies.described(FewerRows[Key]))
async def delete_sites(request: Request, session: Session, actor: CanWriteSites) -> None:
    """Remove all sites of a list, or none, where something stands at some of them (409)."""
    items = (await bodies.read(request, FewerRows[Key])).root
    await site_service.delete_many(session, actor, items)


@sites.get("/{name}")
async def get_site(
    name: Name, response: Response, session: Session, actor: CanReadSites
) -> SiteRead:
    """Show a site."""
    site = await site_service.get(session, actor, name)
    preconditions.tag(response, site.version)
    return (await site_service.read(session, actor, [site]))[0]


@sites.patch("/{name}")
async def update_site(
    name: Name,
    data: SiteUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteSites,
    if_match: IfMatch = None,
) -> SiteRead:
    """Change a site."""
    changed = await site_service.update(session, actor, name, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@sites.delete("/{name}", status_code=204)
async def delete_site(
    name: Name, session: Session, actor: CanWriteSites, if_match: IfMatch = None
) -> None:
    """Remove a site; one that holds devices, sites or somebody's role stays (409)."""
    await site_service.delete(session, actor, name, if_match)


@devices.get("")
async def list_devices(
    request: Request,
    session: Session,
    actor: CanReadDevices,
    query: Annotated[DeviceQuery, given(DeviceQuery)],
) -> Page[DeviceRead]:
    """List devices."""
    listed = pagination.ordered(
        queries.device_ids(actor, query), query.ordering, queries.DEVICE_ORDERING, "name", once=True
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await inventory.shown(session, actor, rows)
    return pagination.page(request.url, query, extent, results)


@devices.post(
    "",
    status_code=201,
    dependencies=[ONCE],
    openapi_extra=bodies.described(DeviceCreate, Rows[DeviceCreate]),
)
async def create_device(
    request: Request, response: Response, session: Session, actor: CanWriteDevices
) -> DeviceRead | Written:
    """Add a device to the inventory, or all of a list."""
    data = await bodies.one_or_many(request, DeviceCreate, Rows[DeviceCreate])
    reach = Reach.of(request.app.state.settings)
    if isinstance(data, Rows):
        return await bulk.create(session, actor, reach, data.root)
    reach.check([("/address", data.address)])
    created = await service.create(session, actor, data)
    preconditions.tag(response, created.version)
    return created


@devices.patch("", openapi_extra=bodies.described(Rows[DeviceChange]))
async def update_devices(request: Request, session: Session, actor: CanWriteDevices) -> Written:
    """Change all devices of a list, or none; 412 names those that are not the `version` given."""
    items = (await bodies.read(request, Rows[DeviceChange])).root
    return await bulk.update(session, actor, Reach.of(request.app.state.settings), items)


@devices.delete("", status_code=204, openapi_extra=bodies.described(Rows[Key]))
async def delete_devices(request: Request, session: Session, actor: CanWriteDevices) -> None:
    """Remove all devices of a list, or none, where some are the way to others that stay (409)."""
    await bulk.delete(session, actor, (await bodies.read(request, Rows[Key])).root)


@devices.post("/import", dependencies=[ONCE], openapi_extra=bodies.described(ImportDocument))
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
async def get_device(
    name: Name, response: Response, session: Session, actor: CanReadDevices
) -> DeviceRead:
    """Show a device."""
    device = await service.get(session, actor, name)
    preconditions.tag(response, device.version)
    return await service.read(session, actor, device)


@devices.patch("/{name}")
async def update_device(
    name: Name,
    data: DeviceUpdate,
    request: Request,
    response: Response,
    *,
    session: Session,
    actor: CanWriteDevices,
    if_match: IfMatch = None,
) -> DeviceRead:
    """Change a device."""
    Reach.of(request.app.state.settings).check([("/address", data.address)])
    changed = await service.update(session, actor, name, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@devices.delete("/{name}", status_code=204)
async def delete_device(
    name: Name, session: Session, actor: CanWriteDevices, if_match: IfMatch = None
) -> None:
    """Remove a device; one that is the way to others stays (409)."""
    await service.delete(session, actor, name, if_match)
