"""Statements about alerting rules that people write."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlmodel import col, select

from controlplane import lookups
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import one_of
from controlplane.devices import queries as device_queries
from controlplane.devices.models import Device, Site
from controlplane.lookups import Related
from controlplane.provisioning.alerting_rules.models import AlertingRule, RuleStatus
from controlplane.provisioning.alerting_rules.schemas import RuleQuery

FILTERED = ("name", "severity", "status", "owner", "created_at", "updated_at")
ORDERING = {
    "name": col(AlertingRule.name),
    "severity": col(AlertingRule.severity),
    "status": col(AlertingRule.status),
    "owner": col(AlertingRule.owner),
    "created_at": col(AlertingRule.created_at),
    "updated_at": col(AlertingRule.updated_at),
}


def any_rule(name: str) -> Select[tuple[AlertingRule]]:
    """Select the rule of this name, whoever asks: names are taken for all."""
    return select(AlertingRule).where(AlertingRule.name == name)


def rule(actor: Actor, permission: Permission, name: str) -> Select[tuple[AlertingRule]]:
    """Select the rule of this name, where the actor's permission reaches it."""
    return any_rule(name).where(_reached(actor, permission))


def rules(actor: Actor, query: RuleQuery) -> Select[tuple[AlertingRule]]:
    """Select the rules that the actor sees and that pass the filters."""
    sites = device_queries.site_names(actor).with_only_columns(col(Site.id))
    subjects: dict[str, lookups.Subject] = {
        **lookups.columns(AlertingRule, *FILTERED),
        "site": Related(col(AlertingRule.site_id), sites, col(Site.name)),
    }
    places = (*lookups.columns(AlertingRule, "name", "summary", "description").values(),)
    found = lookups.search(query.q, *places)
    asked = lookups.conditions(query, subjects)
    return select(AlertingRule).where(_reached(actor, Permission.RULES_READ), found, *asked)


def seen(actor: Actor, names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that belong to a device which the actor sees."""
    visible = restrictor.on_device_rows(actor, Permission.DEVICES_READ, Device)
    return select(Device.name).where(one_of(col(Device.name), names), visible)


def site(of: UUID) -> Select[tuple[str]]:
    """Select the name of a site, whoever asks."""
    return select(Site.name).where(Site.id == of)


def site_id(name: str) -> Select[tuple[UUID]]:
    """Select the id of a site, whoever asks."""
    return select(Site.id).where(Site.name == name)


def live() -> Select[tuple[AlertingRule]]:
    """Select the rules that should be in force."""
    wanted = col(AlertingRule.status) == RuleStatus.LIVE
    return select(AlertingRule).where(wanted).order_by(col(AlertingRule.name))


def locked(statement: Select[tuple[AlertingRule]]) -> Select[tuple[AlertingRule]]:
    """Select the same row to change it."""
    return statement.with_for_update(of=AlertingRule).execution_options(populate_existing=True)


def at(site: UUID) -> Select[tuple[str]]:
    """Select the names of a site and of all that lie below it."""
    tree = restrictor.below([site])
    return select(Site.name).join(tree, col(Site.id) == tree.c.id)


def _reached(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    """Give the condition of rules within the actor's sites; a rule about all is for all."""
    return restrictor.on_sites(actor, permission, col(AlertingRule.site_id))
