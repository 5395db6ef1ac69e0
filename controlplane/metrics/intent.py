"""The intent metrics that rules are joined with (docs/architecture.md, 4.4)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.database import now
from controlplane.devices import queries as device_queries
from controlplane.maintenance import coverage
from controlplane.metrics import queries, thresholds
from controlplane.metrics.exposition import Family, Sample, render
from controlplane.metrics.thresholds import Key

# A source reads the database and gives families; whoever changes what it reads counts a change.
Source = Callable[[AsyncSession], Awaitable[Iterable[Family]]]


async def devices(session: AsyncSession) -> list[Family]:
    """Give the monitored devices, and the way to each of them."""
    rows = (await session.execute(device_queries.labelled())).all()
    ways = (await session.execute(device_queries.monitored_ways())).all()
    return [
        Family(
            "chm_inventory_device_info",
            "A device that should be monitored.",
            (
                Sample(
                    1, {"device": d.name, "site": d.site or "", "role": d.role, "vendor": d.vendor}
                )
                for d in rows
            ),
        ),
        Family(
            "chm_topology_parent",
            "The way from the poller to the device leads through the parent.",
            (Sample(1, {"device": device, "parent": parent}) for device, parent in ways),
        ),
    ]


async def thresholds_in_force(session: AsyncSession) -> list[Family]:
    """Give the thresholds of every monitored device."""
    for_all = {Key(t.metric, t.severity): t.value for t in await session.scalars(queries.for_all())}
    own: dict[object, dict[Key, float]] = {}
    for t in await session.scalars(queries.for_devices()):
        own.setdefault(t.device_id, {})[Key(t.metric, t.severity)] = t.value
    common = thresholds.in_force(for_all, {})
    devices = (await session.execute(device_queries.monitored_names())).all()
    samples = (
        Sample(value, {"device": name, "metric": key.metric, "severity": key.severity})
        for id_, name in devices
        for key, (value, _) in (
            thresholds.in_force(for_all, own[id_]) if id_ in own else common
        ).items()
    )
    return [Family("chm_threshold", "The threshold in force for the device.", samples)]


@dataclass(frozen=True)
class Live:
    """A part of a scrape that the clock changes."""

    content: bytes
    until: datetime

    @property
    def lasts(self) -> bool:
        """Whether it is still so."""
        return now() < self.until


async def maintenance_active(session: AsyncSession) -> Live:
    """Give the devices that are in maintenance at this moment, until a window begins or ends."""
    active = await coverage.active(session, now())
    samples = [Sample(1, {"device": name}) for name in active.devices]
    help_ = "The device is worked on: people are not told of it."
    return Live(render([Family("chm_maintenance_active", help_, samples)]), active.until)


def collect(sources: Sequence[Source]) -> Callable[[AsyncSession], Awaitable[bytes]]:
    """Make the builder of the scrape of these sources.

    Of ten thousand devices it is 17 MB: it is written beside the loop, which answers others.
    """

    async def build(session: AsyncSession) -> bytes:
        families = [family for source in sources for family in await source(session)]
        return await asyncio.to_thread(render, families)

    return build
