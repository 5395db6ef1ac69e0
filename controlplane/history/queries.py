"""Statements about what was done to an object."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, cast
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
from controlplane.metrics import queries as threshold_queries
from controlplane.metrics.baselines import queries as baseline_queries
from controlplane.metrics.baselines.models import Baseline
from controlplane.metrics.models import Threshold

ORDERING = {"seq": col(AuditEntry.seq)}
# The columns of the id and the name of an object, and the condition that it is in reach.
REACHED: Mapping[Noun, tuple[Any, Any, Callable[..., ColumnElement[bool]]]] = {
    Noun.DEVICE: (col(Device.id), col(Device.name), restrictor.on_devices),
    Noun.SITE: (col(Site.id), col(Site.name), restrictor.on_sites),
    Noun.GROUP: (col(DeviceGroup.id), col(DeviceGroup.name), restrictor.on_groups),
    Noun.CREDENTIAL: (col(Credential.id), col(Credential.name), restrictor.on_credentials),
    Noun.BASELINE: (col(Baseline.id), col(Baseline.name), baseline_queries.on_baselines),
    Noun.THRESHOLD: (
        col(Threshold.id),
        cast(col(Threshold.id), String),
        threshold_queries.on_thresholds,
    ),
}


def subject(actor: Actor, permission: Permission, noun: Noun, name: str) -> Select[tuple[UUID]]:
    """Select the id of the object of this name, where the actor's permission reaches it."""
    id_, named, condition = REACHED[noun]
    return select(id_).where(named == name, condition(actor, permission, id_))


def seen(
    actor: Actor, permission: Permission, noun: Noun, names: Collection[str]
) -> Select[tuple[str]]:
    """Select those of the names that belong to an object which the permission reaches."""
    id_, named, condition = REACHED[noun]
    return select(named).where(one_of(named, names), condition(actor, permission, id_))


def changes(noun: Noun, of: UUID) -> Select[tuple[AuditEntry]]:
    """Select what was done to an object, under whatever name it had."""
    return select(AuditEntry).where(
        AuditEntry.object_type == noun.value, AuditEntry.object_id == str(of)
    )
