"""Device groups over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from controlplane import bodies, pagination, preconditions
from controlplane.auth.dependencies import CanReadGroups, CanWriteGroups, require
from controlplane.auth.permissions import Permission
from controlplane.database import Session
from controlplane.devices import inventory
from controlplane.devices import queries as device_queries
from controlplane.devices.groups import queries, service
from controlplane.devices.groups.schemas import (
    GroupChange,
    GroupCreate,
    GroupQuery,
    GroupRead,
    GroupUpdate,
)
from controlplane.devices.schemas import DeviceQuery, DeviceRead
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.pagination import Page, PageQuery
from controlplane.preconditions import IfMatch
from controlplane.retries.once import ONCE, Retryable
from controlplane.rows import FewerRows, Key, Written

router = APIRouter(prefix="/api/v1/device-groups", tags=["device groups"], route_class=Retryable)


@router.get("")
async def list_groups(
    request: Request,
    session: Session,
    actor: CanReadGroups,
    query: Annotated[GroupQuery, given(GroupQuery)],
) -> Page[GroupRead]:
    """List device groups."""
    listed = pagination.ordered(
        queries.groups(actor, query), query.ordering, queries.ORDERING, "name"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    return pagination.page(request.url, query, extent, await service.read(session, actor, rows))


@router.post(
    "",
    status_code=201,
    dependencies=[ONCE],
    openapi_extra=bodies.described(GroupCreate, FewerRows[GroupCreate]),
)
async def create_group(
    request: Request, response: Response, session: Session, actor: CanWriteGroups
) -> GroupRead | Written:
    """Add a device group, or all of a list."""
    data = await bodies.one_or_many(request, GroupCreate, FewerRows[GroupCreate])
    if isinstance(data, FewerRows):
        return await service.create_many(session, actor, data.root)
    created = await service.create(session, actor, data)
    preconditions.tag(response, created.version)
    return created


@router.patch("", openapi_extra=bodies.described(FewerRows[GroupChange]))
async def update_groups(request: Request, session: Session, actor: CanWriteGroups) -> Written:
    """Change all groups of a list, or none; 412 names those that are not the `version` given."""
    items = (await bodies.read(request, FewerRows[GroupChange])).root
    return await service.update_many(session, actor, items)


@router.delete("", status_code=204, openapi_extra=bodies.described(FewerRows[Key]))
async def delete_groups(request: Request, session: Session, actor: CanWriteGroups) -> None:
    """Remove all groups of a list, or none, where somebody's role is on some of them (409)."""
    items = (await bodies.read(request, FewerRows[Key])).root
    await service.delete_many(session, actor, items)


@router.get("/{name}")
async def get_group(
    name: Name, response: Response, session: Session, actor: CanReadGroups
) -> GroupRead:
    """Show a device group."""
    group = await service.get(session, actor, name)
    preconditions.tag(response, group.version)
    return (await service.read(session, actor, [group]))[0]


@router.get("/{name}/members")
async def list_members(
    name: Name,
    request: Request,
    *,
    session: Session,
    actor: CanReadGroups,
    query: Annotated[PageQuery, given(PageQuery)],
) -> Page[DeviceRead]:
    """List the devices that the group holds now, as far as the actor sees them."""
    group = await service.get(session, actor, name)
    require(actor, Permission.DEVICES_READ)
    members = device_queries.device_ids(actor, DeviceQuery()).where(
        device_queries.among_devices(queries.members(group.id))
    )
    listed = pagination.ordered(
        members, query.ordering, device_queries.DEVICE_ORDERING, "name", once=True
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = await inventory.shown(session, actor, rows)
    return pagination.page(request.url, query, extent, results)


@router.patch("/{name}")
async def update_group(
    name: Name,
    data: GroupUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteGroups,
    if_match: IfMatch = None,
) -> GroupRead:
    """Change a device group; one that is the scope of a grant takes the right to give it."""
    changed = await service.update(session, actor, name, data, if_match)
    preconditions.tag(response, changed.version)
    return changed


@router.delete("/{name}", status_code=204)
async def delete_group(
    name: Name, session: Session, actor: CanWriteGroups, if_match: IfMatch = None
) -> None:
    """Remove a device group; one that somebody's role is on stays (409)."""
    await service.delete(session, actor, name, if_match)
