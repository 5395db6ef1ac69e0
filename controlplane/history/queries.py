"""Statements about what was done to an object."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlmodel import col, select

from controlplane.audit.models import AuditEntry
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.credentials.models import Credential
from controlplane.database import one_of
from controlplane.devices.groups.models import DeviceGroup
from controlplane.devices.interfaces.models import Interface
from controlplane.devices.models import Device, Site
from controlplane.history.nouns import Noun

ORDERING = {"seq": col(AuditEntry.seq)}


@dataclass(frozen=True)
class Reached:
    """Where the objects of a noun are, what people call one by, and who sees it by what."""

    table: Any
    key: Any
    condition: Callable[[Actor, Permission, Any], ColumnElement[bool]]
    by: Any


REACHED: Mapping[Noun, Reached] = {
    Noun.DEVICE: Reached(Device, Device.name, restrictor.on_devices, Device.id),
    Noun.SITE: Reached(Site, Site.name, restrictor.on_sites, Site.id),
    Noun.GROUP: Reached(DeviceGroup, DeviceGroup.name, restrictor.on_groups, DeviceGroup.id),
    Noun.CREDENTIAL: Reached(Credential, Credential.name, restrictor.on_credentials, Credential.id),
    Noun.INTERFACE: Reached(Interface, Interface.id, restrictor.on_device_names, Interface.device),
}


def subject(
    actor: Actor, permission: Permission, noun: Noun, key: str | UUID
) -> Select[tuple[UUID]]:
    """Select the id of the object of this key, where the actor's permission reaches it."""
    of = REACHED[noun]
    return select(col(of.table.id)).where(of.key == key, _reached(actor, permission, noun))


def seen(
    actor: Actor, permission: Permission, noun: Noun, names: Collection[str]
) -> Select[tuple[str]]:
    """Select those of the names that belong to an object which the permission reaches."""
    name = col(REACHED[noun].table.name)
    return select(name).where(one_of(name, names), _reached(actor, permission, noun))


def changes(noun: Noun, of: UUID) -> Select[tuple[AuditEntry]]:
    """Select what was done to an object, under whatever name it had."""
    return select(AuditEntry).where(
        AuditEntry.object_type == noun.value, AuditEntry.object_id == str(of)
    )


def _reached(actor: Actor, permission: Permission, noun: Noun) -> ColumnElement[bool]:
    of = REACHED[noun]
    return of.condition(actor, permission, col(of.by))
