"""Statements about device groups, and which devices they hold."""

from uuid import UUID

from sqlalchemy import Select
from sqlmodel import col, select

from controlplane.auth import filters, restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.devices.groups.models import DeviceGroup

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


def locked(statement: Select[tuple[DeviceGroup]]) -> Select[tuple[DeviceGroup]]:
    """Select the same row to change it: no grant is given on it until the commit."""
    return statement.with_for_update(of=DeviceGroup).execution_options(populate_existing=True)


def groups(actor: Actor, name: str | None) -> Select[tuple[DeviceGroup]]:
    """Select the groups that the actor sees, or the one of a name."""
    reached = restrictor.on_groups(actor, Permission.GROUPS_READ, col(DeviceGroup.id))
    statement = select(DeviceGroup).where(reached)
    return statement if name is None else statement.where(DeviceGroup.name == name)


def members(of: UUID) -> Select[tuple[UUID]]:
    """Select the ids of the devices that a group holds, whoever asks."""
    held = filters.memberships().subquery()
    return select(held.c.device_id).where(held.c.group_id == of)


def members_of(actor: Actor, name: str) -> Select[tuple[UUID]]:
    """Select the ids of the devices in the group of this name, if the actor sees the group."""
    held = filters.memberships().subquery()
    seen = groups(actor, name).with_only_columns(col(DeviceGroup.id))
    return select(held.c.device_id).where(held.c.group_id.in_(seen))
