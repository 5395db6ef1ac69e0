"""Keep routes: which alerts go to which channels."""

from collections import defaultdict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, preconditions
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.errors import Invalid, NotFound, Problem
from controlplane.notifications import queries, service
from controlplane.notifications.models import Route, RouteChannel
from controlplane.notifications.routing import RoutePlan
from controlplane.notifications.schemas import RouteOptions, RouteRead, RouteWrite
from controlplane.settings import Settings


async def listed(session: AsyncSession) -> list[RouteRead]:
    """Give all routes in the order in which they are asked."""
    channels = await _channels(session)
    return [_read(route, channels[route.id]) for route in await session.scalars(queries.routes())]


async def plans(session: AsyncSession) -> tuple[RoutePlan, ...]:
    """Give all routes as the routing tree is made of them."""
    channels = await _channels(session)
    return tuple(
        RoutePlan(
            route.name,
            (*channels[route.id], *route.built_in),
            RouteOptions.model_validate(route.options),
        )
        for route in await session.scalars(queries.routes())
    )


async def get(session: AsyncSession, name: str) -> RouteRead:
    """Give a route, or raise NotFound."""
    route = await _found(session, name)
    return _read(route, (await _channels(session))[route.id])


async def put(  # noqa: PLR0917 - who changes what, and which version of it they saw
    session: AsyncSession,
    actor: Actor,
    settings: Settings,
    name: str,
    data: RouteWrite,
    if_match: str | None = None,
) -> RouteRead:
    """Make the route of this name be exactly this; one that is not there has version 0."""
    await events.changed(session)
    told = await _known(session, settings, data.channels)
    route = await session.scalar(queries.route(name))
    preconditions.check(0 if route is None else route.version, if_match)
    before = None
    if route is None:
        route = Route(name=name, position=data.position, built_in=[], options={})
        session.add(route)
    else:
        before = _kept(_read(route, (await _channels(session))[route.id]))
        route.version += 1
    route.position = data.position
    route.built_in = sorted(name for name, channel in told.items() if channel is None)
    route.options = data.model_dump(mode="json", include=set(RouteOptions.model_fields))
    route.updated_at = now()
    await session.flush()
    await session.execute(queries.untold(route.id))
    made = {name: channel for name, channel in told.items() if channel is not None}
    session.add_all(RouteChannel(route_id=route.id, channel_id=c) for c in made.values())
    await session.flush()
    after = _read(route, tuple(sorted(made)))
    action = Action.CREATE if before is None else Action.UPDATE
    await trail.record(session, actor, action, "route", route, before=before, after=_kept(after))
    return after


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a route."""
    await events.changed(session)
    route = await _found(session, name)
    preconditions.check(route.version, if_match)
    before = _kept(_read(route, (await _channels(session))[route.id]))
    await session.delete(route)
    await session.flush()
    await trail.record(session, actor, Action.DELETE, "route", route, before=before)


async def _known(
    session: AsyncSession, settings: Settings, names: list[str]
) -> dict[str, UUID | None]:
    """Give the channels of these names: the id of one that people made, None of a built-in one."""
    there: dict[str, UUID | None] = {c.name: None for c in service.built_in(settings)}
    there |= {channel.name: channel.id for channel in await session.scalars(queries.channels())}
    missing = [
        Problem(f"/channels/{place}", "unknown", f"there is no channel {name!r}")
        for place, name in enumerate(names)
        if name not in there
    ]
    if missing:
        raise Invalid("a route tells channels that are there", *missing)
    return {name: there[name] for name in names}


async def _found(session: AsyncSession, name: str) -> Route:
    route = await session.scalar(queries.route(name))
    if route is None:
        raise NotFound(f"there is no route {name!r}")
    return route


async def _channels(session: AsyncSession) -> defaultdict[UUID, tuple[str, ...]]:
    found: defaultdict[UUID, tuple[str, ...]] = defaultdict(tuple)
    for route_id, name in (await session.execute(queries.told())).tuples():
        found[route_id] += (name,)
    return found


def _read(route: Route, channels: tuple[str, ...]) -> RouteRead:
    return RouteRead(
        name=route.name,
        version=route.version,
        position=route.position,
        channels=sorted((*channels, *route.built_in)),
        updated_at=route.updated_at,
        **route.options,
    )


def _kept(route: RouteRead) -> dict[str, object]:
    return route.model_dump(mode="json", exclude={"name", "version", "updated_at"})
