"""The intent metrics that rules are joined with (docs/architecture.md, 4.4)."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import system
from controlplane.database import now
from controlplane.devices import inventory
from controlplane.devices import queries as device_queries
from controlplane.maintenance import coverage
from controlplane.metrics import queries, thresholds
from controlplane.metrics.exposition import Family, Sample, render
from controlplane.metrics.thresholds import Key

# A source reads the database and gives families; whoever changes what it reads counts a change,
# or it is read at each scrape: what begins and ends by the clock is no change that is counted.
Source = Callable[[AsyncSession], Awaitable[Iterable[Family]]]


async def devices(session: AsyncSession) -> list[Family]:
    """Give the monitored devices, and the way to each of them."""
    monitored = list(await session.scalars(device_queries.monitored()))
    reads = await inventory.read(session, system("intent"), monitored, every=True)
    names = {device.name for device in reads}
    return [
        Family(
            "chm_inventory_device_info",
            "A device that should be monitored.",
            [
                Sample(
                    1, {"device": d.name, "site": d.site or "", "role": d.role, "vendor": d.vendor}
                )
                for d in reads
            ],
        ),
        Family(
            "chm_topology_parent",
            "The way from the poller to the device leads through the parent.",
            [
                Sample(1, {"device": device.name, "parent": parent})
                for device in reads
                for parent in device.parents
                if parent in names  # what nobody asks is never seen to be down
            ],
        ),
    ]


async def thresholds_in_force(session: AsyncSession) -> list[Family]:
    """Give the thresholds of every monitored device."""
    for_all = {Key(t.metric, t.severity): t.value for t in await session.scalars(queries.for_all())}
    own: dict[object, dict[Key, float]] = {}
    for t in await session.scalars(queries.for_devices()):
        own.setdefault(t.device_id, {})[Key(t.metric, t.severity)] = t.value
    monitored = await session.scalars(device_queries.monitored())
    samples = [
        Sample(value, {"device": device.name, "metric": key.metric, "severity": key.severity})
        for device in monitored
        for key, (value, _) in thresholds.in_force(for_all, own.get(device.id, {})).items()
    ]
    return [Family("chm_threshold", "The threshold in force for the device.", samples)]


async def maintenance_active(session: AsyncSession) -> list[Family]:
    """Give the devices that are in maintenance at this moment."""
    names = await coverage.active(session, now())
    samples = [Sample(1, {"device": name}) for name in names]
    help_ = "The device is worked on: people are not told of it."
    return [Family("chm_maintenance_active", help_, samples)]


def collect(sources: Sequence[Source]) -> Callable[[AsyncSession], Awaitable[bytes]]:
    """Make the builder of the scrape of these sources."""

    async def build(session: AsyncSession) -> bytes:
        return render([family for source in sources for family in await source(session)])

    return build
