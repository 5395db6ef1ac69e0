"""Statements about maintenance windows and the devices that they are about."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, Subquery, select, union
from sqlmodel import col

from controlplane import lookups
from controlplane.auth import filters, restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.devices.groups.models import DeviceGroup
from controlplane.devices.models import MONITORED, Device, DeviceParent, Site, Status
from controlplane.lookups import Related
from controlplane.maintenance.models import Window, WindowDevice, WindowGroup, WindowSite
from controlplane.maintenance.schemas import WindowQuery

READ, WRITE = Permission.MAINTENANCE_READ, Permission.MAINTENANCE_WRITE
ORDERING = {
    "name": col(Window.name),
    "starts_at": col(Window.starts_at),
    "created_at": col(Window.created_at),
    "updated_at": col(Window.updated_at),
}


def any_window(name: str) -> Select[tuple[Window]]:
    """Select the window of this name, whoever asks: names are taken for all."""
    return select(Window).where(col(Window.name) == name, col(Window.cancelled_at).is_(None))


def planned() -> Select[tuple[Window]]:
    """Select the windows that were not cancelled."""
    return select(Window).where(col(Window.cancelled_at).is_(None)).order_by(col(Window.name))


def windows(actor: Actor, query: WindowQuery) -> Select[tuple[Window]]:
    """Select the windows that the actor sees, about a device that is theirs to hear of."""
    about = members()
    theirs = restrictor.on_devices(actor, READ, about.c.device_id)
    of_devices = (
        select(about.c.window_id).join(Device, col(Device.id) == about.c.device_id).where(theirs)
    )
    subjects: dict[str, lookups.Subject] = {
        **lookups.columns(Window, "name", "description", "created_by", "created_at"),
        "device": Related(col(Window.id), of_devices, col(Device.name)),
    }
    found = lookups.search(query.q, subjects["name"], subjects["description"])
    asked = lookups.conditions(query, subjects)
    statement = select(Window).where(col(Window.cancelled_at).is_(None), found, *asked)
    if not actor.may_everywhere(READ):
        reached = members()
        seen = restrictor.on_devices(actor, READ, reached.c.device_id)
        statement = statement.where(col(Window.id).in_(select(reached.c.window_id).where(seen)))
    return statement


def members() -> Subquery:
    """Give window_id and device_id of what windows name, by itself, site, tag or group."""
    above = _sites_above()
    by_name = select(col(WindowDevice.window_id), col(WindowDevice.device_id))
    by_site = (
        select(col(WindowSite.window_id), col(Device.id))
        .join(above, above.c.above == col(WindowSite.site_id))
        .join(Device, col(Device.site_id) == above.c.site)
    )
    shared = col(Device.tags).op("&&", is_comparison=True)(col(Window.tags))
    by_tag = select(col(Window.id), col(Device.id)).join(Device, shared)
    held = filters.memberships().subquery()
    by_group = select(col(WindowGroup.window_id), held.c.device_id).join(
        held, held.c.group_id == col(WindowGroup.group_id)
    )
    return union(by_name, by_site, by_tag, by_group).subquery()


def members_of(windows: Collection[UUID]) -> Select[tuple[UUID, UUID]]:
    """Select window and device of these windows."""
    reached = members()
    statement = select(reached.c.window_id, reached.c.device_id)
    return statement.where(reached.c.window_id.in_(windows))


def anything(window: UUID) -> Select[tuple[UUID]]:
    """Select whatever device, site or group a window names."""
    devices = select(col(WindowDevice.device_id)).where(col(WindowDevice.window_id) == window)
    sites = select(col(WindowSite.site_id)).where(col(WindowSite.window_id) == window)
    groups = select(col(WindowGroup.group_id)).where(col(WindowGroup.window_id) == window)
    named = union(devices, sites, groups).subquery()
    return select(named.c[0]).limit(1)


def ways() -> Select[tuple[UUID, UUID]]:
    """Select device and parent; a parent that nobody asks is no way."""
    return (
        select(col(DeviceParent.device_id), col(DeviceParent.parent_id))
        .join(Device, col(Device.id) == col(DeviceParent.parent_id))
        .where(col(Device.status).in_(MONITORED))
    )


def monitored(devices: Collection[UUID]) -> Select[tuple[UUID, str]]:
    """Select id and name of those of the devices that are asked."""
    return select(col(Device.id), col(Device.name)).where(
        col(Device.id).in_(devices), col(Device.status).in_(MONITORED)
    )


def in_status_maintenance() -> Select[tuple[str]]:
    """Select the names of the devices whose status says that they are worked on."""
    return select(col(Device.name)).where(col(Device.status) == Status.MAINTENANCE)


def visible(actor: Actor, devices: Collection[UUID]) -> Select[tuple[str]]:
    """Select the names of those of the devices that the actor sees."""
    return (
        select(col(Device.name))
        .where(col(Device.id).in_(devices), _visible(actor))
        .order_by(col(Device.name))
    )


def reached(actor: Actor, devices: Collection[UUID]) -> Select[tuple[UUID]]:
    """Select those of the devices at which the actor may plan work."""
    condition = restrictor.on_device_rows(actor, WRITE, Device)
    return select(col(Device.id)).where(col(Device.id).in_(devices), condition)


def device_names(actor: Actor, windows: Collection[UUID]) -> Select[tuple[UUID, str]]:
    """Select window and the name of a device that it names and the actor sees."""
    return (
        select(col(WindowDevice.window_id), col(Device.name))
        .join(Device, col(Device.id) == col(WindowDevice.device_id))
        .where(col(WindowDevice.window_id).in_(windows), _visible(actor))
        .order_by(col(Device.name))
    )


def site_names(actor: Actor, windows: Collection[UUID]) -> Select[tuple[UUID, str]]:
    """Select window and the name of a site that it names and the actor sees."""
    seen = restrictor.on_sites(actor, Permission.SITES_READ, col(Site.id))
    return (
        select(col(WindowSite.window_id), col(Site.name))
        .join(Site, col(Site.id) == col(WindowSite.site_id))
        .where(col(WindowSite.window_id).in_(windows), seen)
        .order_by(col(Site.name))
    )


def group_names(actor: Actor, windows: Collection[UUID]) -> Select[tuple[UUID, str]]:
    """Select window and the name of a group that it names and the actor sees."""
    seen = restrictor.on_groups(actor, Permission.GROUPS_READ, col(DeviceGroup.id))
    return (
        select(col(WindowGroup.window_id), col(DeviceGroup.name))
        .join(DeviceGroup, col(DeviceGroup.id) == col(WindowGroup.group_id))
        .where(col(WindowGroup.window_id).in_(windows), seen)
        .order_by(col(DeviceGroup.name))
    )


def groups_beyond(actor: Actor, window: UUID) -> Select[tuple[UUID]]:
    """Select the groups of a window on which the actor may not plan work, whatever they hold."""
    inside = restrictor.on_groups(actor, WRITE, col(WindowGroup.group_id))
    return select(col(WindowGroup.group_id)).where(col(WindowGroup.window_id) == window, ~inside)


def sites_beyond(actor: Actor, window: UUID) -> Select[tuple[UUID]]:
    """Select the sites of a window at which the actor may not plan work."""
    inside = restrictor.on_sites(actor, WRITE, col(WindowSite.site_id))
    return select(col(WindowSite.site_id)).where(col(WindowSite.window_id) == window, ~inside)


def sites(actor: Actor, names: Collection[str]) -> Select[tuple[UUID, str]]:
    """Select id and name of the sites of these names at which the actor may plan work."""
    inside = restrictor.on_sites(actor, WRITE, col(Site.id))
    return select(col(Site.id), col(Site.name)).where(col(Site.name).in_(names), inside)


def groups(actor: Actor, names: Collection[str]) -> Select[tuple[UUID, str]]:
    """Select id and name of the groups of these names on which the actor may plan work."""
    inside = restrictor.on_groups(actor, WRITE, col(DeviceGroup.id))
    return select(col(DeviceGroup.id), col(DeviceGroup.name)).where(
        col(DeviceGroup.name).in_(names), inside
    )


def devices(actor: Actor, names: Collection[str]) -> Select[tuple[UUID, str]]:
    """Select id and name of the devices of these names at which the actor may plan work."""
    inside = restrictor.on_device_rows(actor, WRITE, Device)
    return select(col(Device.id), col(Device.name)).where(col(Device.name).in_(names), inside)


def _sites_above() -> CTE:
    """Give each site with itself and every site that it is a part of."""
    tree = select(col(Site.id).label("site"), col(Site.id).label("above")).cte(recursive=True)
    parent = select(tree.c.site, col(Site.parent_id)).join(Site, col(Site.id) == tree.c.above)
    return tree.union(parent.where(col(Site.parent_id).is_not(None)))


def _visible(actor: Actor) -> ColumnElement[bool]:
    return restrictor.on_device_rows(actor, Permission.DEVICES_READ, Device)
