"""Statements about channels, routes, deployed configurations and inboxes."""

from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Delete, Select, and_, delete, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import col

from controlplane import lookups
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.notifications.models import (
    Channel,
    Notice,
    NoticeRead,
    Route,
    RouteChannel,
    RoutingRevision,
)
from controlplane.notifications.schemas import NoticeQuery

NOTICE_ORDERING = MappingProxyType(
    {
        "received_at": col(Notice.received_at),
        "starts_at": col(Notice.starts_at),
        "severity": col(Notice.severity),
        "device": col(Notice.device),
        "id": col(Notice.id),
    }
)
NOTICE_SUBJECTS = MappingProxyType(
    {
        **NOTICE_ORDERING,
        "ends_at": col(Notice.ends_at),
        "alertname": col(Notice.alertname),
        "site": col(Notice.site),
    }
)
WORDS = ("summary", "description", "value", "threshold")
SEARCHED = tuple(
    map(col, (Notice.alertname, Notice.device, Notice.site, Notice.summary, Notice.description))
)
REVISION_ORDERING = MappingProxyType(
    {"id": col(RoutingRevision.id), "created_at": col(RoutingRevision.created_at)}
)


def channels() -> Select[tuple[Channel]]:
    """Select all channels by name."""
    return select(Channel).order_by(col(Channel.name))


def channel(name: str) -> Select[tuple[Channel]]:
    """Select the channel of a name."""
    return select(Channel).where(col(Channel.name) == name)


def changed_at(name: str) -> Select[tuple[datetime]]:
    """Select when the channel of a name was written last."""
    return select(col(Channel.updated_at)).where(col(Channel.name) == name)


def locked(name: str) -> Select[tuple[Channel]]:
    """Select the channel of a name to change it: as it is now, and ours until the commit."""
    return channel(name).with_for_update().execution_options(populate_existing=True)


def routes() -> Select[tuple[Route]]:
    """Select all routes in the order in which they are asked."""
    return select(Route).order_by(col(Route.position), col(Route.name))


def route(name: str) -> Select[tuple[Route]]:
    """Select the route of a name."""
    return select(Route).where(col(Route.name) == name)


def told() -> Select[tuple[UUID, str]]:
    """Select route id and channel name of every channel of a route."""
    return (
        select(col(RouteChannel.route_id), col(Channel.name))
        .join(Channel, col(Channel.id) == col(RouteChannel.channel_id))
        .order_by(col(Channel.name))
    )


def untold(route_id: UUID) -> Delete:
    """Take all channels from a route."""
    return delete(RouteChannel).where(col(RouteChannel.route_id) == route_id)


def revisions() -> Select[tuple[RoutingRevision]]:
    """Select every attempt to put channels and routes in force."""
    return select(RoutingRevision)


def newest() -> Select[tuple[RoutingRevision]]:
    """Select the last attempt."""
    return revisions().order_by(col(RoutingRevision.id).desc()).limit(1)


def reached(actor: Actor) -> Any:
    """Give the condition that a notice is about a device of which the actor may hear."""
    return restrictor.on_devices(actor, Permission.ALERTS_READ, col(Notice.device_id))


def inbox(actor: Actor, query: NoticeQuery) -> Select[tuple[Notice]]:
    """Select the notices of an actor's inbox that pass the filters."""
    found = lookups.search(query.q, *SEARCHED)
    asked = lookups.conditions(query, NOTICE_SUBJECTS)
    statement = select(Notice).where(reached(actor), found, *asked)
    if query.read is not None:
        seen = col(Notice.id).in_(reads(actor.id))
        statement = statement.where(seen if query.read else ~seen)
    return statement


def reads(reader: UUID | None) -> Select[tuple[UUID]]:
    """Select the ids of the notices that somebody has read."""
    return select(col(NoticeRead.notice_id)).where(col(NoticeRead.reader_id) == reader)


def visible(actor: Actor, notice: UUID) -> Select[tuple[Notice]]:
    """Select a notice, if it is in the actor's inbox."""
    return select(Notice).where(col(Notice.id) == notice, reached(actor))


def mark(rows: list[dict[str, Any]]) -> Insert:
    """Remember that notices were read; what was read before stays so."""
    return insert(NoticeRead).values(rows).on_conflict_do_nothing()


def tell(rows: list[dict[str, Any]]) -> Insert:
    """Add notices; of one that is there already only its end and its words change."""
    statement = insert(Notice).values(rows)
    return statement.on_conflict_do_update(
        index_elements=["fingerprint", "starts_at"],
        set_={name: statement.excluded[name] for name in ("ends_at", *WORDS)},
        where=and_(col(Notice.ends_at).is_(None)),
    )


def old(before: datetime) -> Delete:
    """Remove notices of outages that were received before a time and are over."""
    return delete(Notice).where(col(Notice.received_at) < before, col(Notice.ends_at).is_not(None))
