"""Statements about what was done to an object."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, cast, or_
from sqlmodel import col, select

from controlplane import lookups
from controlplane.audit.models import AuditEntry
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.credentials.models import Credential
from controlplane.database import one_of
from controlplane.devices.catalogue import queries as catalogue_queries
from controlplane.devices.groups.models import DeviceGroup
from controlplane.devices.interfaces.models import Interface
from controlplane.devices.models import Device, Site
from controlplane.history.nouns import CATALOGUE, READ, Noun
from controlplane.history.schemas import ChangesQuery
from controlplane.metrics import queries as threshold_queries
from controlplane.metrics.baselines import queries as baseline_queries
from controlplane.metrics.baselines.models import Baseline
from controlplane.metrics.models import Threshold
from controlplane.provisioning.alerting_rules.models import AlertingRule

ORDERING = {"seq": col(AuditEntry.seq)}
SUBJECTS = {
    "object_type": col(AuditEntry.object_type),
    "name": col(AuditEntry.object_name),
    "action": col(AuditEntry.action),
    "actor_name": col(AuditEntry.actor_name),
    "request_id": col(AuditEntry.request_id),
    "at": col(AuditEntry.at),
}


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
    Noun.BASELINE: Reached(Baseline, Baseline.name, baseline_queries.on_baselines, Baseline.id),
    Noun.THRESHOLD: Reached(Threshold, Threshold.id, threshold_queries.on_thresholds, Threshold.id),
    Noun.ALERTING_RULE: Reached(
        AlertingRule, AlertingRule.name, restrictor.on_sites, AlertingRule.site_id
    ),
    Noun.INTERFACE: Reached(Interface, Interface.id, restrictor.on_device_names, Interface.device),
    **{
        noun: Reached(of.table, of.table.name, catalogue_queries.on_entries, of.table.id)
        for noun, of in CATALOGUE.items()
    },
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


def removed(noun: Noun, key: str) -> Select[tuple[str]]:
    """Select the id that an object of this name had, the last one if there were several."""
    return (
        select(col(AuditEntry.object_id))
        .where(
            AuditEntry.object_type == noun.value,
            or_(col(AuditEntry.object_name) == key, col(AuditEntry.object_id) == key),
        )
        .order_by(col(AuditEntry.seq).desc())
        .limit(1)
    )


def changes(noun: Noun, of: UUID | str) -> Select[tuple[AuditEntry]]:
    """Select what was done to an object, under whatever name it had."""
    return select(AuditEntry).where(
        AuditEntry.object_type == noun.value, AuditEntry.object_id == str(of)
    )


def all_changes(actor: Actor, wanted: ChangesQuery) -> Select[tuple[AuditEntry]]:
    """Select what was done to the objects that the actor reads, as far as it passes the filters."""
    return select(AuditEntry).where(
        or_(*(_readable(actor, noun) for noun in Noun)),
        *lookups.conditions(wanted, SUBJECTS),
    )


def _readable(actor: Actor, noun: Noun) -> ColumnElement[bool]:
    of_this = col(AuditEntry.object_type) == noun.value
    if actor.may_everywhere(READ[noun]):
        return of_this
    reached = select(cast(col(REACHED[noun].table.id), String)).where(
        _reached(actor, READ[noun], noun)
    )
    return and_(of_this, col(AuditEntry.object_id).in_(reached))


def _reached(actor: Actor, permission: Permission, noun: Noun) -> ColumnElement[bool]:
    of = REACHED[noun]
    return of.condition(actor, permission, col(of.by))
