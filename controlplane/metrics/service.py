"""Keep thresholds."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth.actor import Actor
from controlplane.auth.dependencies import require
from controlplane.auth.permissions import Permission
from controlplane.database import now
from controlplane.devices import service as devices
from controlplane.devices import sites
from controlplane.devices.catalogue import service as catalogue
from controlplane.devices.catalogue.nouns import DEVICE_ROLE
from controlplane.devices.groups import service as groups
from controlplane.devices.groups.models import DeviceGroup
from controlplane.devices.models import Device, Site
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from controlplane.metrics import queries
from controlplane.metrics.models import Scope, Threshold
from controlplane.metrics.queries import READ, WRITE
from controlplane.metrics.schemas import (
    DefaultRead,
    InForceRead,
    SourceRead,
    ThresholdCreate,
    ThresholdRead,
    ThresholdUpdate,
)
from controlplane.metrics.thresholds import (
    DEFAULTS,
    UNITS,
    Entry,
    InForce,
    Place,
    Thresholds,
    check,
)

NOUN = "threshold"  # as the audit log has it
Find = Callable[[AsyncSession, Actor, str, Permission], Awaitable[Site | DeviceGroup | Device]]
FIND: Mapping[Scope, Find] = MappingProxyType(
    {Scope.SITE: sites.get, Scope.GROUP: groups.get, Scope.DEVICE: devices.get}
)


def defaults() -> list[DefaultRead]:
    """Give every metric with its unit, and what counts where nothing was set."""
    return [
        DefaultRead(
            metric=metric,
            unit=UNITS[metric].name,
            low=UNITS[metric].low,
            high=UNITS[metric].high,
            warning=entry.warning,
            critical=entry.critical,
        )
        for metric, entry in DEFAULTS.items()
    ]


async def in_force(session: AsyncSession, device: UUID | None = None) -> list[tuple[str, InForce]]:
    """Give the name and the thresholds in force of a device, or of all that are monitored."""
    found = await session.execute(queries.entries(device))
    parents = dict((await session.execute(queries.sites())).tuples().all())
    known = Thresholds(map(_entry, found), parents)
    held: dict[UUID, set[UUID]] = {}
    for group, member in await session.execute(queries.memberships(device)):
        held.setdefault(member, set()).add(group)
    return [
        (name, known.of(id_, Place(role, site, frozenset(held.get(id_, ())))))
        for id_, name, role, site in await session.execute(queries.places(device))
    ]


def _entry(row: Any) -> Entry:
    target = row.role or row.site_id or row.group_id or row.device_id
    values = (row.metric, row.warning, row.critical, row.weight)
    return Entry(row.id, row.scope, target, *values)


async def of_device(session: AsyncSession, actor: Actor, device: Device) -> list[InForceRead]:
    """Give the thresholds in force for a device, each with its source as this actor sees it."""
    ((_, found),) = await in_force(session, device.id)
    ids = [entry.id for entry in found.values() if entry.id]
    told = await session.scalars(queries.seen(actor, ids))
    sources: dict[UUID | None, ThresholdRead] = {}
    sources.update((one.id, one) for one in await read(session, list(told)))
    return [
        InForceRead(
            metric=metric,
            warning=entry.warning,
            critical=entry.critical,
            source=_source(entry, sources.get(entry.id)),
        )
        for metric, entry in found.items()
    ]


def _source(entry: Entry, told: ThresholdRead | None) -> SourceRead:
    scope = entry.scope.value if entry.scope else "default"
    return SourceRead(scope=scope, name=told.target if told else None)


async def get(
    session: AsyncSession, actor: Actor, id_: UUID, permission: Permission = READ
) -> Threshold:
    """Give the threshold of this id; NotFound where the actor does not see it, else Forbidden."""
    threshold = await session.scalar(queries.threshold(actor, permission, id_))
    if threshold is not None:
        return threshold
    if await session.scalar(queries.threshold(actor, READ, id_)) is not None:
        raise Forbidden(f"you may see this threshold, but lack {permission.value} on all it is for")
    raise NotFound(f"there is no threshold {id_}")


async def read(session: AsyncSession, listed: Sequence[Threshold]) -> list[ThresholdRead]:
    """Give thresholds with the names of what they are for, which whoever sees them may know."""
    ids = (
        [id_ for id_ in of if id_]
        for of in (
            (threshold.site_id for threshold in listed),
            (threshold.group_id for threshold in listed),
            (threshold.device_id for threshold in listed),
        )
    )
    names: dict[UUID | None, str] = dict(
        (await session.execute(queries.names(*ids))).tuples().all()
    )
    return [
        ThresholdRead(
            **threshold.model_dump(exclude={"site_id", "group_id", "device_id"}),
            site=names.get(threshold.site_id),
            group=names.get(threshold.group_id),
            device=names.get(threshold.device_id),
        )
        for threshold in listed
    ]


async def create(session: AsyncSession, actor: Actor, data: ThresholdCreate) -> ThresholdRead:
    """Set the thresholds of a metric for a scope that has none of it."""
    await events.changed(session)
    threshold = await _draft(session, actor, data)
    if await session.scalar(queries.same(threshold)) is not None:
        raise Conflict(f"{data.metric.value} is set for {data.whose} already")
    check(data.metric, data.warning, data.critical)
    session.add(threshold)
    await session.flush()
    created = (await read(session, [threshold]))[0]
    await _record(session, actor, Action.CREATE, created, after=_fields(created))
    return created


async def update(
    session: AsyncSession,
    actor: Actor,
    id_: UUID,
    data: ThresholdUpdate,
    if_match: str | None = None,
) -> ThresholdRead:
    """Change the given fields, unless it is no longer the version the actor saw."""
    await events.changed(session)
    threshold = await get(session, actor, id_, WRITE)
    preconditions.check(threshold.version, if_match)
    given = data.model_dump(exclude_unset=True)
    before = (await read(session, [threshold]))[0]
    if all(getattr(before, field) == value for field, value in given.items()):
        return before
    if threshold.scope is not Scope.GROUP and "weight" in given:
        detail = "only thresholds of groups have a weight"
        raise Invalid(detail, Problem("/weight", "scope", detail))
    threshold.sqlmodel_update(given)
    check(threshold.metric, threshold.warning, threshold.critical)
    threshold.version += 1
    threshold.updated_at = now()
    await session.flush()
    after = (await read(session, [threshold]))[0]
    await _record(
        session, actor, Action.UPDATE, after, before=_fields(before), after=_fields(after)
    )
    return after


async def delete(
    session: AsyncSession, actor: Actor, id_: UUID, if_match: str | None = None
) -> None:
    """Take back what was set, so that the next wider scope counts again."""
    await events.changed(session)
    threshold = await get(session, actor, id_, WRITE)
    preconditions.check(threshold.version, if_match)
    before = (await read(session, [threshold]))[0]
    await session.delete(threshold)
    await session.flush()
    await _record(session, actor, Action.DELETE, before, before=_fields(before))


async def _draft(session: AsyncSession, actor: Actor, data: ThresholdCreate) -> Threshold:
    """Make the row of a threshold; what may be anywhere takes the permission on everything."""
    threshold = Threshold(**data.model_dump(exclude={scope.value for scope in FIND}))
    find = FIND.get(data.scope)
    if find is None:
        require(actor, WRITE, everywhere=True)
    try:
        if data.role is not None:
            await catalogue.get(session, DEVICE_ROLE, data.role)
        if find is None:
            return threshold
        about = await find(session, actor, str(data.target), WRITE)
    except NotFound as error:
        problem = Problem(f"/{data.scope.value}", "unknown", error.detail)
        raise Invalid(error.detail, problem) from None
    setattr(threshold, f"{data.scope.value}_id", about.id)
    return threshold


async def _record(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    of: ThresholdRead,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await audit.record(
        session,
        action,
        who=actor.who,
        object_type=NOUN,
        object_id=of.id,
        object_name=f"{of.metric.value} of {of.whose}",
        before=before,
        after=after,
    )


def _fields(threshold: ThresholdRead) -> dict[str, Any]:
    return threshold.model_dump(mode="json", exclude={"id", "version", "created_at", "updated_at"})
