"""Statements about the catalogue, which everybody who reads devices sees whole."""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, true
from sqlmodel import col, select

from controlplane import lookups
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.auth.tables import GROUPS, THRESHOLDS
from controlplane.database import one_of
from controlplane.devices.catalogue.models import AppliesTo, CustomField, Entry, Platform
from controlplane.devices.catalogue.nouns import CUSTOM_FIELD, DEVICE_ROLE, Noun
from controlplane.devices.catalogue.schemas import EntryQuery
from controlplane.devices.models import Device, Site


def ordering(noun: Noun) -> dict[str, Any]:
    """Give the columns by which a list may be ordered."""
    names = ("name", "created_at", "updated_at")
    return {name: getattr(noun.table, name) for name in names}


def on_entries(actor: Actor, permission: Permission, _entry: Any) -> ColumnElement[bool]:
    """Give the condition on a column of ids: who holds the permission somewhere reaches all."""
    return true() if permission in actor.permissions else false()


def entries(noun: Noun, name: str | None = None) -> Select[tuple[Entry]]:
    """Select the objects of a noun, or the one of a name."""
    statement = select(noun.table)
    return statement if name is None else statement.where(noun.table.name == name)


def named(noun: Noun, names: Collection[str]) -> Select[tuple[Entry]]:
    """Select the objects of these names."""
    return select(noun.table).where(one_of(col(noun.table.name), names))


def ids(noun: Noun, names: Collection[str]) -> Select[tuple[str, UUID]]:
    """Select name and id of the objects of these names."""
    return select(noun.table.name, noun.table.id).where(one_of(col(noun.table.name), names))


def names(noun: Noun, ids: Collection[UUID]) -> Select[tuple[UUID, str]]:
    """Select id and name of the objects of these ids."""
    return select(noun.table.id, noun.table.name).where(one_of(col(noun.table.id), ids))


def listed(noun: Noun, query: EntryQuery) -> Select[tuple[Entry]]:
    """Select the objects that pass the filters."""
    names = ("name", "description", "created_at", "updated_at")
    subjects = lookups.columns(noun.table, *names)
    found = lookups.search(query.q, subjects["name"], subjects["description"])
    return select(noun.table).where(found, *lookups.conditions(query, subjects))


def taken(noun: Noun, names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that an object has."""
    return select(noun.table.name).where(one_of(col(noun.table.name), names))


def uses(noun: Noun, of: Entry) -> Select[Any]:
    """Count what refers to an object, whoever asks: a row with a column for each that may."""
    if noun.several:
        named = {"devices": _names(Device, noun, of.name), "sites": _names(Site, noun, of.name)}
    else:
        kept = of.name if noun.by_name else of.id
        named = {"devices": getattr(Device, noun.column) == kept}
    if noun is DEVICE_ROLE:
        named["groups"] = GROUPS.c.roles.contains([of.name])
        named["thresholds"] = THRESHOLDS.c.role == of.name
    return select(
        *(
            select(func.count()).where(one).scalar_subquery().label(who)
            for who, one in named.items()
        )
    )


def _names(table: type[Any], noun: Noun, name: str) -> ColumnElement[bool]:
    column = getattr(table, noun.column)
    named = column.has_key(name) if noun is CUSTOM_FIELD else column.contains([name])
    return cast("ColumnElement[bool]", named)


def custom_fields(of: AppliesTo) -> Select[tuple[CustomField]]:
    """Select the custom fields of devices, or of sites."""
    return select(CustomField).where(CustomField.applies_to == of).order_by(CustomField.name)


def values(actor: Actor, field: CustomField) -> Select[tuple[str, Any, bool]]:
    """Select name and value of what has the field, and whether the actor sees it."""
    table: Any = Device if field.applies_to is AppliesTo.DEVICE else Site
    on, read = (
        (restrictor.on_devices, Permission.DEVICES_READ)
        if table is Device
        else (restrictor.on_sites, Permission.SITES_READ)
    )
    held = table.custom_fields
    return (
        select(table.name, held[field.name], on(actor, read, table.id))
        .where(held.has_key(field.name))
        .order_by(table.name)
    )


def profiles() -> Select[tuple[str, str | None]]:
    """Select the name of each platform that has a profile, and the profile."""
    return select(Platform.name, Platform.profile).where(col(Platform.profile).is_not(None))
