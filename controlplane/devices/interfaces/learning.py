"""Interfaces, learned from Prometheus; what an operator has set stays as it is.

The exporter tells of them with every probe. Devices are gone through some at a time, and only what
has changed is written. What is missing is not gone: an interface is gone where its device answered
all it was asked, and told of others.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.clients.prometheus import Prometheus, Refused
from controlplane.database import now
from controlplane.devices import queries as device_queries
from controlplane.devices.interfaces import ports, queries
from controlplane.devices.interfaces.models import (
    Importance,
    Interface,
    InterfaceChange,
    Monitored,
)
from controlplane.devices.interfaces.ports import Port, Told
from controlplane.devices.names import passed_on
from controlplane.errors import Unavailable

log = logging.getLogger(__name__)

# "CHMI": one worker learns at a time. A lock of the queue would stay with a worker that died.
TURN = 1128811849
LOCK = text(f"SELECT pg_try_advisory_xact_lock({TURN})")
DEVICES = 100  # of one query
MOST = 10_000  # interfaces of a device
LATE = timedelta(seconds=15)  # by which the samples of a scrape are there after its interval
CONFIRMED = timedelta(hours=1)  # how often it is written down that nothing has changed
GONE_KEPT, MOST_GONE = timedelta(days=30), 1000  # of a device, of which nobody said anything
CHANGES_KEPT = 20  # of an interface; one with two faces would fill the table

TOLD = tuple(Port.__dataclass_fields__)
NOTED = ("alias", "type", "speed", "mac")
PRESENCE, PRESENT, GONE = "presence", "present", "gone"
UNSAID = {"description": "", "importance": Importance.NORMAL, "monitored": Monitored.AUTO}

Row = dict[str, Any]
Known = Any  # a row of `queries.told`


@dataclass(frozen=True)
class InterfaceLearner:
    """What learning takes: where interfaces are kept, who has heard of them, how often."""

    sessions: async_sessionmaker[AsyncSession]
    prometheus: Prometheus
    scrape_interval: timedelta = timedelta(minutes=1)

    async def learn(self) -> None:
        """Take up what devices tell; without an answer of Prometheus all stays as it is.

        What it refuses to tell of some devices keeps no others from being learned. What was polled
        out of turn within a scrape is newer than what Prometheus has.
        """
        since = now() - self.scrape_interval - LATE
        async with self.sessions() as session:
            polled = set(await session.scalars(queries.polled(since)))
            monitored = await session.execute(device_queries.monitored_names())
            devices = [name for _, name in monitored if name not in polled]
        for start in range(0, len(devices), DEVICES):
            some = devices[start : start + DEVICES]
            try:
                await self._learn(some)
            except Refused as error:
                span = f"{some[0]} to {some[-1]}"
                log.warning("interfaces of %s were not learned: %s", span, error.detail)
            except Unavailable as error:
                log.warning("interfaces were not learned: %s", error.detail)
                return

    async def _learn(self, names: Sequence[str]) -> None:
        moment = now()
        found = ports.told(await self.prometheus.query(ports.source(names), moment), MOST)
        async with self.sessions.begin() as session:
            if await session.scalar(LOCK):
                await take_up(session, found, moment)


@dataclass
class Differences:
    """Rows to add, what to write of others by their id, and what became another."""

    new: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)

    def note(self, interface: UUID, at: datetime, name: str, before: Any, after: Any) -> None:
        """Note that something became another."""
        about = {"interface_id": interface, "at": at, "field": name}
        self.changes.append({**about, "before": str(before), "after": str(after)})


async def take_up(session: AsyncSession, found: Mapping[str, Told], at: datetime) -> None:
    """Keep what devices of the inventory tell of their interfaces, and note what has changed."""
    others = await passed_on(session)
    names = [name for name in await session.scalars(queries.present(found)) if name not in others]
    known: dict[str, dict[str, Known]] = {name: {} for name in names}
    for interface in await session.execute(queries.told(names)):
        known[interface.device][interface.name] = interface
    differences = Differences()
    for name in names:
        compare(name, known[name], found[name], at, differences)
    await _write(session, differences)
    if names:
        outlived = queries.outlived(names, at - GONE_KEPT, MOST_GONE)
        await session.execute(delete(Interface).where(outlived))


def compare(
    device: str, known: Mapping[str, Known], told: Told, at: datetime, into: Differences
) -> None:
    """Add what differs between what is known of the interfaces of a device and what it tells."""
    for name, port in told.ports.items():
        before = known.get(name)
        if before is None:
            row = _new(device, port, at)
            into.new.append(row)
            if known:  # at the first time all are new
                into.note(row["id"], at, PRESENCE, "", PRESENT)
        elif _differs(before, port) or at - before.last_seen >= CONFIRMED:
            into.rows.append({"id": before.id, **_seen(port, at)})
            for field_, was, is_ in _noted(before, port):
                into.note(before.id, at, field_, was, is_)
    if told.whole and told.ports:
        for name in known.keys() - told.ports.keys():
            if known[name].gone_at is None:
                into.gone.append({"id": known[name].id, "gone_at": at})
                into.note(known[name].id, at, PRESENCE, PRESENT, GONE)


def _new(device: str, port: Port, at: datetime) -> Row:
    unsaid = {**UNSAID, "version": 1, "updated_at": at}
    return {"id": uuid4(), "device": device, "first_seen": at, **_seen(port, at), **unsaid}


def _seen(port: Port, at: datetime) -> Row:
    told = {name: getattr(port, name) for name in TOLD}
    return {**told, "last_seen": at, "gone_at": None}


def _differs(known: Known, port: Port) -> bool:
    return known.gone_at is not None or any(
        getattr(known, name) != getattr(port, name) for name in TOLD
    )


def _noted(known: Known, port: Port) -> Iterator[tuple[str, Any, Any]]:
    if known.gone_at is not None:
        yield PRESENCE, GONE, PRESENT
    for name in NOTED:
        was, is_ = getattr(known, name), getattr(port, name)
        if was != is_:
            yield name, was, is_


async def _write(session: AsyncSession, differences: Differences) -> None:
    if differences.new:
        await session.execute(insert(Interface), differences.new)
    for rows in filter(None, (differences.rows, differences.gone)):
        await session.execute(update(Interface), rows)
    if differences.changes:
        await session.execute(insert(InterfaceChange), differences.changes)
        changed = {change["interface_id"] for change in differences.changes}
        await session.execute(delete(InterfaceChange).where(queries.beyond(changed, CHANGES_KEPT)))
