"""Plan maintenance: nobody silences what lies outside of where they may."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from controlplane import events, preconditions
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor, Scope, ScopeKind
from controlplane.database import now
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from controlplane.maintenance import coverage, queries
from controlplane.maintenance.models import Window, WindowDevice, WindowGroup, WindowSite
from controlplane.maintenance.recurrence import Occurrence
from controlplane.maintenance.schemas import (
    OccurrenceQuery,
    OccurrenceRead,
    WindowCreate,
    WindowFields,
    WindowQuery,
    WindowRead,
    WindowUpdate,
)

Table = type[WindowDevice] | type[WindowSite] | type[WindowGroup]
Find = Callable[[Actor, Collection[str]], Select[tuple[UUID, str]]]

NOUN = "maintenance"
# What a window can name: the table, its column, and the statement that finds it by names.
NAMED: Mapping[str, tuple[Table, str, Find]] = MappingProxyType(
    {
        "devices": (WindowDevice, "device_id", queries.devices),
        "sites": (WindowSite, "site_id", queries.sites),
        "groups": (WindowGroup, "group_id", queries.groups),
    }
)
YEARS = timedelta(days=366)
AHEAD = timedelta(days=4 * 366)  # how far the next occurrence is looked for: a leap day is there
LISTED = 400  # occurrences of one answer


async def get(session: AsyncSession, actor: Actor, name: str, *, to_change: bool = False) -> Window:
    """Give the window of this name; NotFound where the actor does not see it, else Forbidden."""
    window = await session.scalar(
        queries.windows(actor, WindowQuery()).where(col(Window.name) == name)
    )
    if window is None:
        raise NotFound(f"there is no maintenance window {name!r}")
    if to_change:
        await _refuse_beyond(session, actor, window)
    return window


async def create(session: AsyncSession, actor: Actor, data: WindowCreate) -> WindowRead:
    """Plan a window; it is in force as soon as Alertmanager has heard of it."""
    await events.changed(session)
    if await session.scalar(queries.any_window(data.name)) is not None:
        raise Conflict(f"a maintenance window {data.name!r} already exists")
    window = Window(
        name=data.name,
        starts_at=data.starts_at,
        duration_seconds=data.duration,
        created_by=actor.name,
    )
    session.add(window)
    await _write(session, actor, window, data.model_dump(exclude={"name"}))
    created = (await read(session, actor, [window]))[0]
    await trail.record(session, actor, Action.CREATE, NOUN, window, after=_fields(created))
    return created


async def update(
    session: AsyncSession, actor: Actor, name: str, data: WindowUpdate, if_match: str | None = None
) -> WindowRead:
    """Change the given fields of a window, unless it is no longer the version the actor saw."""
    await events.changed(session)
    window = await get(session, actor, name, to_change=True)
    preconditions.check(window.version, if_match)
    if data.version is not None and data.version != window.version:
        raise Conflict(f"{name!r} is at version {window.version}, not {data.version}")
    before = (await read(session, actor, [window]))[0]
    given = data.model_dump(exclude_unset=True, exclude={"version"})
    if all(getattr(before, field) == value for field, value in given.items()):
        return before
    window.version += 1
    window.updated_at = now()
    await _write(session, actor, window, given)
    after = (await read(session, actor, [window]))[0]
    await trail.record(
        session, actor, Action.UPDATE, NOUN, window, before=_fields(before), after=_fields(after)
    )
    return after


async def cancel(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """End a window now and for good; its name is free again."""
    await events.changed(session)
    window = await get(session, actor, name, to_change=True)
    preconditions.check(window.version, if_match)
    before = (await read(session, actor, [window]))[0]
    window.cancelled_at = now()
    await session.flush()
    await trail.record(session, actor, Action.DELETE, NOUN, window, before=_fields(before))


async def read(session: AsyncSession, actor: Actor, windows: Sequence[Window]) -> list[WindowRead]:
    """Give windows as this actor sees them."""
    ids = [window.id for window in windows]
    named = {
        "devices": await _grouped(session, queries.device_names(actor, ids)),
        "sites": await _grouped(session, queries.site_names(actor, ids)),
        "groups": await _grouped(session, queries.group_names(actor, ids)),
    }
    moment = now()
    return [
        _read(window, {noun: found[window.id] for noun, found in named.items()}, moment)
        for window in windows
    ]


async def devices(session: AsyncSession, actor: Actor, window: Window) -> list[str]:
    """Name the devices that a window covers as the inventory stands, those that the actor sees."""
    reach = (await coverage.covered(session, [window]))[window.id]
    return list(await session.scalars(queries.visible(actor, reach)))


def occurrences(window: Window, query: OccurrenceQuery) -> list[OccurrenceRead]:
    """Give when a window is open, the first 400 times at most."""
    after = query.after or now()
    before = min(query.before or after + YEARS, after + 10 * YEARS)
    found = islice(coverage.plan(window).occurrences(after, before), LISTED)
    return [OccurrenceRead.model_validate(occurrence) for occurrence in found]


async def _write(
    session: AsyncSession, actor: Actor, window: Window, fields: dict[str, Any]
) -> None:
    named = {noun: fields.pop(noun) for noun in NAMED if noun in fields}
    if "duration" in fields:
        window.duration_seconds = fields.pop("duration")
    window.sqlmodel_update(fields)
    _refuse_never(window)
    await session.flush()
    for noun, names in named.items():
        table, column, found = NAMED[noun]
        ids = await _found(session, found(actor, names), names, noun)
        await session.execute(delete(table).where(col(table.window_id) == window.id))
        session.add_all(table(window_id=window.id, **{column: id_}) for id_ in ids)
    await session.flush()
    await _refuse_empty(session, window)
    await _refuse_beyond(session, actor, window)


def _refuse_never(window: Window) -> None:
    """Refuse what would never be open again: nobody means that."""
    try:
        following = _following(window, now())
    except ValueError as error:
        raise Invalid(str(error), Problem("/recurrence", "value_error", str(error))) from error
    if following is None:
        detail = "the window would be over already"
        raise Invalid(detail, Problem("/starts_at", "over", detail))


async def _refuse_empty(session: AsyncSession, window: Window) -> None:
    if not window.tags and await session.scalar(queries.anything(window.id)) is None:
        raise Invalid("a window is about devices, sites, tags or groups; name at least one")


async def _refuse_beyond(session: AsyncSession, actor: Actor, window: Window) -> None:
    """Raise Forbidden where a window is, or could come to be, about what the actor may not touch.

    What lies outside is counted and not named: the actor may not know of it.
    """
    if actor.may_everywhere(queries.WRITE):
        return
    own = actor.scopes(queries.WRITE)
    foreign = [tag for tag in window.tags if Scope(ScopeKind.TAG, tag) not in own]
    if foreign:
        raise Forbidden(
            f"a tag may be on any device: {queries.WRITE.value} must be held on"
            f" {', '.join(foreign)} or on everything"
        )
    if await session.scalar(queries.sites_beyond(actor, window.id)) is not None:
        raise Forbidden(f"a site lies outside of where you hold {queries.WRITE.value}")
    if await session.scalar(queries.groups_beyond(actor, window.id)) is not None:
        raise Forbidden(f"a group lies outside of where you hold {queries.WRITE.value}")
    reach = (await coverage.covered(session, [window]))[window.id]
    beyond = len(reach) - len(list(await session.scalars(queries.reached(actor, reach))))
    if beyond:
        raise Forbidden(
            f"{beyond} of the devices lie outside of where you hold {queries.WRITE.value}"
        )


async def _found(
    session: AsyncSession,
    statement: Select[tuple[UUID, str]],
    names: Collection[str],
    field: str,
) -> list[UUID]:
    rows = (await session.execute(statement)).tuples().all()
    missing = sorted(set(names) - {name for _, name in rows})
    if missing:
        noun = field.removesuffix("s")
        problems = [
            Problem(f"/{field}", "unknown", f"there is no {noun} {n!r} at which you may plan work")
            for n in missing
        ]
        raise Invalid(problems[0].message, *problems)
    return [id_ for id_, _ in rows]


async def _grouped(
    session: AsyncSession, statement: Select[tuple[UUID, str]]
) -> defaultdict[UUID, list[str]]:
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for window, name in await session.execute(statement):
        found[window].append(name)
    return found


def _following(window: Window, moment: datetime) -> Occurrence | None:
    return next(coverage.plan(window).occurrences(moment, _horizon(window, moment)), None)


def _horizon(window: Window, moment: datetime) -> datetime:
    start = window.starts_at.replace(tzinfo=moment.tzinfo)
    return max(moment, start) + AHEAD


def _read(window: Window, named: Mapping[str, list[str]], moment: datetime) -> WindowRead:
    kept = window.model_dump(exclude={"duration_seconds", "cancelled_at"})
    following = _following(window, moment)
    return WindowRead(
        **kept,
        **named,
        duration=window.duration_seconds,
        active=following is not None and following.at(moment),
        occurrence=OccurrenceRead.model_validate(following) if following else None,
    )


def _fields(window: WindowRead) -> dict[str, Any]:
    return window.model_dump(
        mode="json", include={*WindowFields.model_fields, "starts_at", "duration"}
    )
