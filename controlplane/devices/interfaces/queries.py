"""Statements about interfaces: who sees a device sees its interfaces."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    Uuid,
    any_,
    bindparam,
    func,
    literal,
    or_,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col, select

from controlplane import lookups
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.database import one_of
from controlplane.devices.interfaces.models import (
    SEARCHED,
    Importance,
    Interface,
    InterfaceChange,
    InterfaceCount,
    Monitored,
)
from controlplane.devices.interfaces.schemas import EXPORTED, InterfaceFilters, InterfaceRead
from controlplane.devices.models import MONITORED, Device, DevicePoll, Site
from controlplane.lookups import Lowered, Related

ORDERING = {
    name: getattr(Interface, name)
    for name in (
        *("device", "name", "index", "alias", "type", "speed", "admin_status", "oper_status"),
        *("importance", "monitored", "first_seen", "gone_at", "updated_at", "id"),
    )
}
BY_DEVICE = (ORDERING["device"], ORDERING["name"])
FILTERED = (
    *("device", "name", "alias", "description", "type", "mac", "speed"),
    *("admin_status", "oper_status", "importance", "monitored"),
    *("first_seen", "last_seen", "gone_at", "updated_at"),
)
SHOWN = tuple(name for name in InterfaceRead.model_fields if name in Interface.model_fields)
WANTED = bindparam("interfaces", type_=ARRAY(Uuid))
LEARNED = (
    *("id", "device", "name", "index", "alias", "type", "speed", "mac"),
    *("admin_status", "oper_status", "last_seen", "gone_at"),
)

Key = tuple[str, str]  # device and name


def interface(actor: Actor, permission: Permission, id_: UUID) -> Select[tuple[Interface]]:
    """Select the interface of this id, where the actor's permission reaches its device."""
    return select(Interface).where(Interface.id == id_, _reached(actor, permission))


def keyed(actor: Actor, permission: Permission, keys: Sequence[Key]) -> Select[tuple[Interface]]:
    """Select the interfaces of these devices and names that the actor's permission reaches."""
    wanted = select(
        *(func.unnest(literal([key[part] for key in keys], ARRAY(String))) for part in range(2))
    )
    key = tuple_(col(Interface.device), col(Interface.name))
    return select(Interface).where(key.in_(wanted), _reached(actor, permission))


def keys(actor: Actor, permission: Permission, of: Sequence[Key]) -> Select[Key]:
    """Select device and name of the same interfaces."""
    return keyed(actor, permission, of).with_only_columns(
        col(Interface.device), col(Interface.name)
    )


def interfaces(actor: Actor, query: InterfaceFilters) -> Select[tuple[Interface]]:
    """Select the interfaces that the actor sees and that pass the filters."""
    subjects = {**lookups.columns(Interface, *FILTERED), "site": _site(Interface)}
    found = lookups.search(query.q, Lowered(SEARCHED, trigrams=True))
    asked = lookups.conditions(query, subjects)
    return select(Interface).where(_reached(actor, Permission.DEVICES_READ), found, *asked)


def interface_ids(actor: Actor, query: InterfaceFilters) -> Select[tuple[UUID]]:
    """Select the ids of the same interfaces: a list shows them with what they refer to."""
    return interfaces(actor, query).with_only_columns(col(Interface.id))


def count(actor: Actor, query: InterfaceFilters) -> Select[tuple[int]] | None:
    """Count the same by what is kept of each device, or None where that does not tell."""
    subjects = {"device": col(InterfaceCount.device), "site": _site(InterfaceCount)}
    if query.q or lookups.fields(query) - subjects.keys():
        return None
    counted = func.coalesce(func.sum(col(InterfaceCount.count)), 0)
    asked = lookups.conditions(query, subjects)
    return select(counted).where(_reached(actor, Permission.DEVICES_READ, InterfaceCount), *asked)


def _site(table: type[Interface | InterfaceCount]) -> Related:
    places = select(Device.name).join(Site, col(Site.id) == Device.site_id)
    return Related(col(table.device), places, col(Site.name))


def told_of(actor: Actor, query: InterfaceFilters) -> Select[Any]:
    """Select what operators say of the same interfaces, by device and name."""
    named = (getattr(Interface, name) for name in EXPORTED)
    return interfaces(actor, query).with_only_columns(*named).order_by("device", "name")


def of_device(name: str) -> ColumnElement[bool]:
    """Say of an interface that it belongs to this device."""
    return col(Interface.device) == name


def decided() -> Select[tuple[str, str, Importance, Monitored]]:
    """Select what operators decided about interfaces of monitored devices."""
    return (
        select(Interface.device, Interface.name, Interface.importance, Interface.monitored)
        .join(Device, col(Device.name) == Interface.device)
        .where(Interface.monitored != Monitored.AUTO, col(Device.status).in_(MONITORED))
        .order_by(Interface.device, Interface.name)
    )


def present(names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that a device has, and hold the devices until the commit."""
    named = select(Device.name).where(one_of(col(Device.name), names))
    return named.with_for_update(read=True, key_share=True)


def told(names: Collection[str]) -> Select[Any]:
    """Select what the devices of these names told of their interfaces, whoever asks.

    Rows of what the learner compares, not objects, which take several times as long to make.
    """
    rows: Select[Any] = select(*(getattr(Interface, name) for name in LEARNED))
    return rows.where(one_of(col(Interface.device), names))


def polled(since: datetime) -> Select[tuple[str]]:
    """Select the devices that told of their interfaces in a poll out of turn since a moment."""
    told = col(DevicePoll.told_at) >= since
    return select(Device.name).join(DevicePoll, col(DevicePoll.device_id) == Device.id).where(told)


def outlived(names: Collection[str], before: datetime, count: int) -> ColumnElement[bool]:
    """Say of an interface that it is gone, long ago or behind so many, and nobody minds it."""
    place = func.row_number().over(
        partition_by=col(Interface.device), order_by=col(Interface.gone_at).desc()
    )
    ranked = (
        select(Interface.id, Interface.gone_at, place.label("place"))
        .where(one_of(col(Interface.device), names), col(Interface.gone_at).is_not(None))
        .where(Interface.description == "", Interface.importance == Importance.NORMAL)
        .where(Interface.monitored == Monitored.AUTO)
        .subquery()
    )
    old = select(ranked.c.id).where(or_(ranked.c.place > count, ranked.c.gone_at < before))
    return col(Interface.id).in_(old)


def changes(interface_id: UUID, count: int) -> Select[tuple[InterfaceChange]]:
    """Select the last changes of an interface, the newest first."""
    return (
        select(InterfaceChange)
        .where(InterfaceChange.interface_id == interface_id)
        .order_by(col(InterfaceChange.at).desc(), col(InterfaceChange.id).desc())
        .limit(count)
    )


def beyond(interfaces: Collection[UUID], count: int) -> ColumnElement[bool]:
    """Say of a change that there are at least `count` newer ones of its interface."""
    ranked = _ranked(interfaces)
    return col(InterfaceChange.id).in_(select(ranked.c.id).where(ranked.c.place > count))


def _shown() -> Select[Any]:
    """Select the interfaces of some ids, as people see them: what `SHOWN` names, and the site."""
    site = (
        select(Site.name)
        .join(Device, col(Device.site_id) == Site.id)
        .where(col(Device.name) == Interface.device)
        .scalar_subquery()
    )
    columns: Select[Any] = select(*(getattr(Interface, name) for name in SHOWN))
    return columns.add_columns(site.label("site")).where(col(Interface.id) == any_(WANTED))


def _ranked(interfaces: Collection[UUID]) -> Subquery:
    newest = (col(InterfaceChange.at).desc(), col(InterfaceChange.id).desc())
    place = func.row_number().over(partition_by=col(InterfaceChange.interface_id), order_by=newest)
    statement = select(InterfaceChange.id, place.label("place"))
    return statement.where(one_of(col(InterfaceChange.interface_id), interfaces)).subquery()


def _reached(
    actor: Actor, permission: Permission, table: type[Interface | InterfaceCount] = Interface
) -> ColumnElement[bool]:
    return restrictor.on_device_names(actor, permission, col(table.device))


SHOWING = _shown()  # made once: making it takes longer than running it
