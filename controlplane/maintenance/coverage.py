"""Which devices windows cover: those they name, and with dependants what is behind these."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.maintenance import dependants, queries
from controlplane.maintenance.models import Window
from controlplane.maintenance.recurrence import Occurrence, Plan

AHEAD = timedelta(hours=1)  # how far the next beginning or end of a window is looked for


@dataclass(frozen=True)
class Planned:
    """A time at which a window is open, and the names of the devices that it covers."""

    window: Window
    occurrence: Occurrence
    devices: frozenset[str]


def plan(window: Window) -> Plan:
    """Give when a window is open."""
    duration = timedelta(seconds=window.duration_seconds)
    return Plan(
        window.starts_at,
        duration,
        window.time_zone,
        window.recurrence,
        frozenset(window.exceptions),
    )


async def covered(session: AsyncSession, windows: Collection[Window]) -> dict[UUID, set[UUID]]:
    """Give the ids of the devices that each window covers."""
    found: dict[UUID, set[UUID]] = {window.id: set() for window in windows}
    for window_id, device in await session.execute(queries.members_of(found.keys())):
        found[window_id].add(device)
    if any(window.dependants for window in windows):
        parents: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for device, parent in await session.execute(queries.ways()):
            parents[device].append(parent)
        for window in windows:
            if window.dependants:
                found[window.id] |= dependants.behind(found[window.id], parents)
    return found


async def planned(session: AsyncSession, after: datetime, before: datetime) -> list[Planned]:
    """Give every window that is open at some time from `after` until `before`."""
    windows = await session.scalars(queries.planned())
    open_at = [(w, o) for w in windows for o in plan(w).occurrences(after, before)]
    reach = await covered(session, list({w.id: w for w, _ in open_at}.values()))
    every = set().union(*reach.values())
    names: dict[UUID, str] = {}
    if every:
        names.update((await session.execute(queries.monitored(every))).tuples().all())
    return [
        Planned(window, occurrence, frozenset(names[d] for d in reach[window.id] & names.keys()))
        for window, occurrence in open_at
    ]


@dataclass(frozen=True)
class Active:
    """The devices in maintenance, and until when that is so if nobody changes anything."""

    devices: tuple[str, ...]
    until: datetime


async def active(session: AsyncSession, moment: datetime) -> Active:
    """Name the devices in maintenance at a moment, by a window or by their status."""
    found = set(await session.scalars(queries.in_status_maintenance()))
    until = moment + AHEAD
    for entry in await planned(session, moment, until):
        occurrence = entry.occurrence
        if occurrence.at(moment):
            found |= entry.devices
        until = min(u for u in (until, occurrence.start, occurrence.end) if u > moment)
    return Active(tuple(sorted(found)), until)
