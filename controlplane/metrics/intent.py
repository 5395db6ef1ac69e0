"""The intent metrics that rules are joined with (docs/architecture.md, 4.4)."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import queries as auth_queries
from controlplane.database import now
from controlplane.devices import queries as device_queries
from controlplane.devices import teams
from controlplane.devices.interfaces import queries as interface_queries
from controlplane.devices.interfaces.models import Monitored
from controlplane.maintenance import coverage
from controlplane.metrics import service
from controlplane.metrics.exposition import Family, Sample, render
from controlplane.metrics.models import Severity
from controlplane.metrics.thresholds import Entry

IN_USE = timedelta(days=30)  # since a token was used
SERVICE = "(service)"  # the owner of a service's token, and nobody's name
MADE_TO_LAST = timedelta(days=30)  # others are to end soon
LOOKED_AT = timedelta(minutes=5)  # how often tokens are: nobody counts a change when one is used

SEVERITIES = tuple(severity.value for severity in Severity)  # warning and critical

# A source reads the database and gives families; whoever changes what it reads counts a change.
Source = Callable[[AsyncSession], Awaitable[Iterable[Family]]]


async def devices(session: AsyncSession) -> list[Family]:
    """Give the monitored devices, the way to each of them, and who sees to sites."""
    rows = (await session.execute(device_queries.labelled())).all()
    ways = (await session.execute(device_queries.monitored_ways())).all()
    sites = (await session.execute(teams.of_sites())).all()
    return [
        Family(
            "chm_inventory_device_info",
            "A device that should be monitored.",
            (
                Sample(
                    1,
                    {
                        "device": d.name,
                        "site": d.site or "",
                        "role": d.role or "",
                        "vendor": d.vendor,
                        "team": d.team,
                    },
                )
                for d in rows
            ),
        ),
        Family(
            "chm_topology_parent",
            "The way from the poller to the device leads through the parent.",
            (Sample(1, {"device": device, "parent": parent}) for device, parent in ways),
        ),
        Family(
            "chm_site_team",
            "The team that sees to the site.",
            (Sample(1, {"site": site, "team": team}) for site, team in sites),
        ),
    ]


async def thresholds_in_force(session: AsyncSession) -> list[Family]:
    """Give the thresholds that most monitored devices have, and of each device those that differ.

    Most have the same, and rules would read eighteen series of each.
    """
    devices = await service.in_force(session)
    counted = Counter(
        (metric, _pair(entry)) for _, found in devices for metric, entry in found.items()
    )
    # The last one of a metric counts: the most frequent, of those the highest.
    common = dict(sorted(counted, key=lambda pair: (counted[pair], pair[1])))
    shared = (
        Sample(value, {"metric": metric.value, "severity": severity})
        for metric, pair in common.items()
        for severity, value in zip(SEVERITIES, pair, strict=True)
    )
    own = (
        Sample(value, {"device": name, "metric": metric.value, "severity": severity})
        for name, found in devices
        for metric, entry in found.items()
        if _pair(entry) != common[metric]
        for severity, value in zip(SEVERITIES, _pair(entry), strict=True)
    )
    return [
        Family("chm_threshold_common", "The threshold of a device without one of its own.", shared),
        Family("chm_threshold", "The threshold of a device that has another than most.", own),
    ]


def _pair(entry: Entry) -> tuple[float, float]:
    return entry.warning, entry.critical


async def interfaces_decided(session: AsyncSession) -> list[Family]:
    """Give what operators decided about interfaces; of the others, which are most, nothing."""
    rows = await session.execute(interface_queries.decided())
    samples = [
        Sample(
            int(monitored is Monitored.YES),
            {"device": device, "ifName": name, "importance": importance},
        )
        for device, name, importance, monitored in rows
    ]
    help_ = "Whether people are told of the interface: 1 in any case, 0 never."
    return [Family("chm_interface_monitored", help_, samples)]


@dataclass(frozen=True)
class Live:
    """A part of a scrape that the clock changes."""

    content: bytes
    until: datetime

    @property
    def lasts(self) -> bool:
        """Whether it is still so."""
        return now() < self.until


async def live(session: AsyncSession) -> Live:
    """Give the devices in maintenance at this moment, and when tokens end that programs use."""
    moment = now()
    active = await coverage.active(session, moment)
    samples = [Sample(1, {"device": name}) for name in active.devices]
    help_ = "The device is worked on: people are not told of it."
    families = [Family("chm_maintenance_active", help_, samples), await _tokens(session, moment)]
    return Live(render(families), min(active.until, moment + LOOKED_AT))


async def _tokens(session: AsyncSession, moment: datetime) -> Family:
    ending = auth_queries.expiring_api_tokens(moment, moment - IN_USE)
    samples = [
        Sample(token.expires_at.timestamp(), {"owner": owner.name, "token": token.name})
        for token, owner in (await session.execute(ending)).tuples()
        if token.expires_at is not None and token.expires_at - token.created_at >= MADE_TO_LAST
    ]
    services = await session.scalars(auth_queries.expiring_service_tokens(moment))
    samples += [
        Sample(token.expires_at.timestamp(), {"owner": SERVICE, "token": token.name})
        for token in services
        if token.expires_at is not None and token.expires_at - token.created_at >= MADE_TO_LAST
    ]
    help_ = (
        "When a token ends that was made for a month or longer; of a person, used within the last."
    )
    return Family("chm_api_token_expiry_timestamp_seconds", help_, samples)


def collect(sources: Sequence[Source]) -> Callable[[AsyncSession], Awaitable[bytes]]:
    """Make the builder of the scrape of these sources.

    Of ten thousand devices it is 17 MB: it is written beside the loop, which answers others.
    """

    async def build(session: AsyncSession) -> bytes:
        families = [family for source in sources for family in await source(session)]
        return await asyncio.to_thread(render, families)

    return build
