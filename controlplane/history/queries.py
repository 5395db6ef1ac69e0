"""Statements about what was done to an object."""

from collections.abc import Callable, Collection, Mapping
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
from controlplane.devices.models import Device, Site
from controlplane.history.nouns import Noun
from controlplane.provisioning.alerting_rules.models import AlertingRule

ORDERING = {"seq": col(AuditEntry.seq)}
# Of each noun its table, the column by which it is reached, and how.
REACHED: Mapping[Noun, tuple[Any, Any, Callable[..., ColumnElement[bool]]]] = {
    Noun.DEVICE: (Device, col(Device.id), restrictor.on_devices),
    Noun.SITE: (Site, col(Site.id), restrictor.on_sites),
    Noun.GROUP: (DeviceGroup, col(DeviceGroup.id), restrictor.on_groups),
    Noun.CREDENTIAL: (Credential, col(Credential.id), restrictor.on_credentials),
    Noun.ALERTING_RULE: (AlertingRule, col(AlertingRule.site_id), restrictor.on_sites),
}


def subject(actor: Actor, permission: Permission, noun: Noun, name: str) -> Select[tuple[UUID]]:
    """Select the id of the object of this name, where the actor's permission reaches it."""
    table, *_ = REACHED[noun]
    return select(col(table.id)).where(table.name == name, _reached(actor, permission, noun))


def seen(
    actor: Actor, permission: Permission, noun: Noun, names: Collection[str]
) -> Select[tuple[str]]:
    """Select those of the names that belong to an object which the permission reaches."""
    table, *_ = REACHED[noun]
    named = one_of(col(table.name), names)
    return select(col(table.name)).where(named, _reached(actor, permission, noun))


def changes(noun: Noun, of: UUID) -> Select[tuple[AuditEntry]]:
    """Select what was done to an object, under whatever name it had."""
    return select(AuditEntry).where(
        AuditEntry.object_type == noun.value, AuditEntry.object_id == str(of)
    )


def _reached(actor: Actor, permission: Permission, noun: Noun) -> ColumnElement[bool]:
    _, column, condition = REACHED[noun]
    return condition(actor, permission, column)
