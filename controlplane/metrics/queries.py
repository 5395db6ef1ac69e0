"""Statements about thresholds: people see those of what their grants reach."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, or_, select, true, union_all
from sqlmodel import col

from controlplane import lookups
from controlplane.auth import filters, restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import one_of
from controlplane.devices.groups.models import DeviceGroup
from controlplane.devices.models import MONITORED, Device, Site
from controlplane.lookups import Related
from controlplane.metrics.models import Scope, Threshold
from controlplane.metrics.schemas import ThresholdQuery

READ, WRITE = Permission.THRESHOLDS_READ, Permission.THRESHOLDS_WRITE
Condition = ColumnElement[bool]

ORDERING = {
    name: getattr(Threshold, name)
    for name in ("id", "scope", "role", "metric", "weight", "created_at", "updated_at")
}
TARGETS = ("role", "site_id", "group_id", "device_id")  # one of them, by the scope
VALUES = ("metric", "warning", "critical", "weight")


def threshold(actor: Actor, permission: Permission, id_: UUID) -> Select[tuple[Threshold]]:
    """Select the threshold of this id, where the actor's permission reaches it."""
    return select(Threshold).where(col(Threshold.id) == id_, _reached(actor, permission))


def seen(actor: Actor, ids: Collection[UUID]) -> Select[tuple[Threshold]]:
    """Select those of the thresholds that the actor sees."""
    return select(Threshold).where(one_of(col(Threshold.id), ids), _reached(actor, READ))


def same(threshold: Threshold) -> Select[tuple[Threshold]]:
    """Select what was set for the same metric and the same devices."""
    about = (
        col(getattr(Threshold, name)).is_not_distinct_from(getattr(threshold, name))
        for name in ("scope", *TARGETS, "metric")
    )
    return select(Threshold).where(*about)


def thresholds(actor: Actor, query: ThresholdQuery) -> Select[tuple[Threshold]]:
    """Select the thresholds that the actor sees and that pass the filters."""
    fields = ("scope", "metric", "weight", "created_at", "updated_at")
    related = {
        "site": Related(col(Threshold.site_id), select(col(Site.id)), col(Site.name)),
        "group": Related(
            col(Threshold.group_id), select(col(DeviceGroup.id)), col(DeviceGroup.name)
        ),
        "device": Related(col(Threshold.device_id), select(col(Device.id)), col(Device.name)),
    }
    subjects: dict[str, lookups.Subject] = {
        **lookups.columns(Threshold, *fields, "role"),
        **related,
    }
    places = (col(Threshold.role), *related.values())
    found = lookups.search(query.q, *places)
    asked = lookups.conditions(query, subjects)
    return select(Threshold).where(_reached(actor, READ), found, *asked)


def on_thresholds(actor: Actor, permission: Permission, threshold: Any) -> Condition:
    """Give the condition on a column of ids of thresholds."""
    reached: Condition = threshold.in_(select(col(Threshold.id)).where(_reached(actor, permission)))
    return reached


def _reached(actor: Actor, permission: Permission) -> Condition:
    """Say of a threshold that the permission is held on what it is about.

    What is for all, or for a role of a device in reach, is read by those who see a part only.
    """
    if actor.may_everywhere(permission):
        return true()
    about = (
        restrictor.on_sites(actor, permission, col(Threshold.site_id)),
        restrictor.on_groups(actor, permission, col(Threshold.group_id)),
        restrictor.on_devices(actor, permission, col(Threshold.device_id)),
    )
    if permission is not READ:
        return or_(*about)
    theirs = select(col(Device.role)).where(restrictor.on_device_rows(actor, READ, Device))
    return or_(col(Threshold.scope) == Scope.ALL, col(Threshold.role).in_(theirs), *about)


def names(
    sites: Collection[UUID], groups: Collection[UUID], devices: Collection[UUID]
) -> CompoundSelect[Any]:
    """Select id and name of sites, groups and devices."""
    return union_all(
        select(col(Site.id), col(Site.name)).where(one_of(col(Site.id), sites)),
        select(col(DeviceGroup.id), col(DeviceGroup.name)).where(
            one_of(col(DeviceGroup.id), groups)
        ),
        select(col(Device.id), col(Device.name)).where(one_of(col(Device.id), devices)),
    )


def entries(device: UUID | None = None) -> Select[Any]:
    """Select all that was set; with a device, without what was set for another one alone."""
    columns = ("id", "scope", *TARGETS, *VALUES)
    statement: Select[Any] = select(*(getattr(Threshold, name) for name in columns))
    if device is None:
        return statement
    own = or_(col(Threshold.device_id).is_(None), col(Threshold.device_id) == device)
    return statement.where(own)


def sites() -> Select[tuple[UUID, UUID | None]]:
    """Select each site, and the one that it is a part of."""
    return select(col(Site.id), col(Site.parent_id))


def places(device: UUID | None = None) -> Select[tuple[UUID, str, str | None, UUID | None]]:
    """Select id, name, role and site of a device, or of all that are monitored, by name."""
    statement = select(col(Device.id), col(Device.name), col(Device.role), col(Device.site_id))
    if device is not None:
        return statement.where(col(Device.id) == device)
    return statement.where(col(Device.status).in_(MONITORED)).order_by(col(Device.name))


def memberships(device: UUID | None = None) -> Select[Any]:
    """Select group and device of the groups with thresholds; with a device, of that one."""
    held = filters.memberships().subquery()
    concerned = select(col(Threshold.group_id)).where(col(Threshold.scope) == Scope.GROUP)
    whose = true() if device is None else held.c.device_id == device
    return select(held.c.group_id, held.c.device_id).where(held.c.group_id.in_(concerned), whose)
