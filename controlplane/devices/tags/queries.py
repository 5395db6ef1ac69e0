"""Statements about tags: there is no table of them, only devices that carry some."""

from typing import Any

from sqlalchemy import Select, String, Subquery, func
from sqlmodel import col, select

from controlplane import lookups
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.devices.models import Device
from controlplane.devices.tags.schemas import TagQuery


def carried(actor: Actor) -> Subquery:
    """Give each tag of the devices that the actor sees, and how many of these carry it."""
    seen = restrictor.on_device_rows(actor, Permission.DEVICES_READ, Device)
    each = select(func.unnest(col(Device.tags), type_=String).label("name")).where(seen).subquery()
    counted = func.count().label("devices")
    return select(each.c.name, counted).group_by(each.c.name).subquery()


def listed(tags: Subquery, query: TagQuery) -> Select[tuple[dict[str, Any]]]:
    """Select the tags that pass the filters, each as an object."""
    found = lookups.search(query.q, tags.c.name)
    asked = lookups.conditions(query, dict(tags.c.items()))
    row = func.jsonb_build_object("name", tags.c.name, "devices", tags.c.devices)
    return select(row).select_from(tags).where(found, *asked)


def carriers(actor: Actor, permission: Permission, tag: str) -> Select[tuple[Device]]:
    """Select the devices with a tag that the actor's permission reaches, by name."""
    reached = restrictor.on_device_rows(actor, permission, Device)
    carries = col(Device.tags).contains([tag])
    return select(Device).where(carries, reached).order_by(Device.name)
