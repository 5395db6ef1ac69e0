"""The one restrictor: turns an actor and a permission into a condition on what a query may see.

Lists, searches, exports, imports and single objects all pass through here, so none of them can
forget. A grant reaches everything, a site with all below it, what a group holds, or what carries a
tag; a new kind of scope gets a branch in `_reached`, and until it has one it reaches nothing.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    Uuid,
    and_,
    any_,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import filters
from controlplane.auth.actor import Actor, Scope, ScopeKind
from controlplane.auth.permissions import Permission
from controlplane.auth.tables import DEVICES, GROUPS, SITES, USES
from controlplane.database import one_of
from controlplane.errors import Forbidden

Condition = ColumnElement[bool]


def on_devices(actor: Actor, permission: Permission, device: Any) -> Condition:
    """Give the condition on a column of device ids in another table."""
    if actor.may_everywhere(permission):
        return true()
    return _in(device, _devices(actor.scopes(permission), DEVICES.c.id))


def on_device_rows(actor: Actor, permission: Permission, device: Any) -> Condition:
    """Give the condition on rows of the table of devices: its model, or an alias of that."""
    if actor.may_everywhere(permission):
        return true()
    return _rows(actor.scopes(permission), device)


def on_device_names(actor: Actor, permission: Permission, name: Any) -> Condition:
    """Give the condition on a column of device names, as interfaces have it."""
    if actor.may_everywhere(permission):
        return true()
    return _in(name, _devices(actor.scopes(permission), DEVICES.c.name))


def on_sites(actor: Actor, permission: Permission, site: Any) -> Condition:
    """Give the condition on a column of site ids; a tag reaches devices, not the sites of them."""
    if actor.may_everywhere(permission):
        return true()
    granted = _values(actor.scopes(permission), ScopeKind.SITE)
    return _in(site, select(below(map(UUID, granted)).c.id)) if granted else false()


def on_groups(actor: Actor, permission: Permission, group: Any) -> Condition:
    """Give the condition on a column of group ids: the granted ones, and those of one's sites.

    Of these every member is in reach; of a group about no site only its grants say that.
    """
    if actor.may_everywhere(permission):
        return true()
    scopes = actor.scopes(permission)
    granted, sites = (_values(scopes, kind) for kind in (ScopeKind.GROUP, ScopeKind.SITE))
    conditions: list[Condition] = [false()]
    if granted:
        conditions.append(GROUPS.c.id.in_([UUID(value) for value in granted]))
    if sites:
        conditions.append(GROUPS.c.site_id.in_(select(below(map(UUID, sites)).c.id)))
    return _in(group, select(GROUPS.c.id).where(or_(*conditions)))


def on_credentials(actor: Actor, permission: Permission, credential: Any) -> Condition:
    """Give the condition on a column of credential ids: those of the devices that are reached."""
    if actor.may_everywhere(permission):
        return true()
    devices = _devices(actor.scopes(permission), DEVICES.c.id)
    return _in(credential, select(USES.c.credential_id).where(USES.c.device_id.in_(devices)))


def below(sites: Iterable[UUID]) -> CTE:
    """Give the ids of these sites and of all that lie below them."""
    tree = select(SITES.c.id).where(SITES.c.id.in_(list(sites))).cte(recursive=True)
    return tree.union(select(SITES.c.id).join(tree, SITES.c.parent_id == tree.c.id))


async def check_devices(
    session: AsyncSession, actor: Actor, permission: Permission, devices: Collection[UUID]
) -> None:
    """Look at devices as they were written: Forbidden where one is outside the actor's scope."""
    if actor.may_everywhere(permission):
        return
    reached = _devices(actor.scopes(permission), DEVICES.c.id)
    beyond = select(DEVICES.c.name).where(
        one_of(DEVICES.c.id, devices), DEVICES.c.id.not_in(reached)
    )
    name = await session.scalar(beyond.order_by(DEVICES.c.name).limit(1))
    if name is not None:
        raise Forbidden(f"device {name!r} would stand outside of where you hold {permission.value}")


async def check_site(
    session: AsyncSession, actor: Actor, permission: Permission, site: UUID
) -> None:
    """Look at a site as it was written: raise Forbidden where it lies outside the actor's scope."""
    reached = select(SITES.c.id).where(SITES.c.id == site, on_sites(actor, permission, SITES.c.id))
    if await session.scalar(reached) is None:
        raise Forbidden(f"the site would lie outside of where you hold {permission.value}")


async def check_group(
    session: AsyncSession, actor: Actor, permission: Permission, group: UUID
) -> None:
    """Look at a group as it was written: Forbidden where it is not of the actor's scope."""
    reached = on_groups(actor, permission, GROUPS.c.id)
    if await session.scalar(select(GROUPS.c.id).where(GROUPS.c.id == group, reached)) is None:
        raise Forbidden(f"the group would hold more than where you hold {permission.value}")


def _in(subject: Any, statement: Select[Any]) -> Condition:
    condition: Condition = subject.in_(statement)
    return condition


# What follows is made once for all who hold the same: making it takes longer than many a query.


@lru_cache(maxsize=256)
def _devices(scopes: frozenset[Scope], wanted: Any) -> Select[Any]:
    return select(wanted).where(_reached(scopes, DEVICES.c))


@lru_cache(maxsize=256)
def _rows(scopes: frozenset[Scope], device: Any) -> Condition:
    return _reached(scopes, device)


def _reached(scopes: Collection[Scope], device: Any) -> Condition:
    """Give the condition on rows of devices, which is true or false but never unknown."""
    sites = _values(scopes, ScopeKind.SITE)
    groups = _values(scopes, ScopeKind.GROUP)
    tags = _values(scopes, ScopeKind.TAG)
    conditions: list[Condition] = [false()]
    if sites:
        # One array, made once: unlike a subquery it leaves an index its place beside an OR, and is
        # not looked through anew for every row of another table.
        inside = select(below(map(UUID, sites)).c.id).scalar_subquery()
        reached = any_(func.array(inside, type_=ARRAY(Uuid)))
        conditions.append(and_(device.site_id.is_not(None), device.site_id == reached))
    if groups:
        held = filters.memberships().subquery()
        members = select(held.c.device_id).where(held.c.group_id.in_(list(map(UUID, groups))))
        conditions.append(_in(device.id, members))
    if tags:
        conditions.append(device.tags.overlap(tags))
    return or_(*conditions)


def _values(scopes: Iterable[Scope], kind: ScopeKind) -> list[str]:
    return sorted(scope.value for scope in scopes if scope.kind is kind)
