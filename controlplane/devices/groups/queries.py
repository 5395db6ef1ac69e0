"""Statements about device groups, and which devices they hold."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlmodel import col, select

from controlplane import lookups
from controlplane.auth import filters, restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import one_of
from controlplane.devices.groups.models import DeviceGroup
from controlplane.devices.groups.schemas import GroupQuery

ORDERING = {
    "name": col(DeviceGroup.name),
    "created_at": col(DeviceGroup.created_at),
    "updated_at": col(DeviceGroup.updated_at),
}


def any_group(name: str) -> Select[tuple[DeviceGroup]]:
    """Select the group of this name, whoever asks: names are taken for all."""
    return select(DeviceGroup).where(DeviceGroup.name == name)


def group(actor: Actor, permission: Permission, name: str) -> Select[tuple[DeviceGroup]]:
    """Select the group of this name, where the actor's permission reaches it."""
    return any_group(name).where(restrictor.on_groups(actor, permission, col(DeviceGroup.id)))


def named(
    actor: Actor, permission: Permission, names: Collection[str]
) -> Select[tuple[DeviceGroup]]:
    """Select the groups of these names that the actor's permission reaches."""
    reached = restrictor.on_groups(actor, permission, col(DeviceGroup.id))
    return select(DeviceGroup).where(one_of(col(DeviceGroup.name), names), reached)


def taken(names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that a group has, whoever asks."""
    return select(DeviceGroup.name).where(one_of(col(DeviceGroup.name), names))


def locked(statement: Select[tuple[DeviceGroup]]) -> Select[tuple[DeviceGroup]]:
    """Select the same row to change it: no grant is given on it until the commit."""
    return statement.with_for_update(of=DeviceGroup).execution_options(populate_existing=True)


def groups(actor: Actor, query: GroupQuery) -> Select[tuple[DeviceGroup]]:
    """Select the groups that the actor sees and that pass the filters."""
    fields = ("name", "description", "created_at", "updated_at")
    subjects = lookups.columns(DeviceGroup, *fields)
    found = lookups.search(query.q, subjects["name"], subjects["description"])
    asked = lookups.conditions(query, subjects)
    return select(DeviceGroup).where(_visible(actor), found, *asked)


def _visible(actor: Actor) -> ColumnElement[bool]:
    return restrictor.on_groups(actor, Permission.GROUPS_READ, col(DeviceGroup.id))


def members(of: UUID) -> Select[tuple[UUID]]:
    """Select the ids of the devices that a group holds, whoever asks."""
    held = filters.memberships().subquery()
    return select(held.c.device_id).where(held.c.group_id == of)


def membership(actor: Actor, device: Any) -> lookups.Related:
    """Give the groups that the actor sees as a field of the device of this id."""
    held = filters.memberships().subquery()
    ids = select(held.c.device_id).join(DeviceGroup, col(DeviceGroup.id) == held.c.group_id)
    return lookups.Related(device, ids.where(_visible(actor)), col(DeviceGroup.name))
