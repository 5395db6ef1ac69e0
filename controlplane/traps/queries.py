"""Statements about events: everybody sees those of the devices that they see."""

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Delete, Select, delete, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import col

from controlplane import lookups
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.traps.models import Event
from controlplane.traps.schemas import EventQuery

FILTERED = ("at", "device", "source", "trap", "oid", "severity", "text", "received_at")
ORDERING = MappingProxyType(
    {
        "at": col(Event.at),
        "device": col(Event.device),
        "trap": col(Event.trap),
        "severity": col(Event.severity),
        "received_at": col(Event.received_at),
        "id": col(Event.id),
    }
)
SEARCHED = tuple(map(col, (Event.device, Event.source, Event.trap, Event.text)))


def events(actor: Actor, query: EventQuery) -> Select[tuple[Event]]:
    """Select the events that the actor sees and that pass the filters."""
    reached = restrictor.on_devices(actor, Permission.DEVICES_READ, col(Event.device_id))
    found = lookups.search(query.q, *SEARCHED)
    asked = lookups.conditions(query, lookups.columns(Event, *FILTERED))
    return select(Event).where(reached, found, *asked)


def add(rows: Sequence[dict[str, Any]]) -> Insert:
    """Add events; one that is there already stays as it is."""
    return insert(Event).values(list(rows)).on_conflict_do_nothing()


def old(before: datetime) -> Delete:
    """Remove events that were received before a time."""
    return delete(Event).where(col(Event.received_at) < before)
