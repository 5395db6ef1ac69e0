"""`/probe`: all there is of a device of the inventory; a device that fails is data."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from exporter.errors import Busy, LeftAlone, LocalFault, OutOfTime, ProtocolError, Unreachable
from exporter.inventory import Snapshot
from exporter.metrics import Family, family
from exporter.probe import outcomes, pings
from exporter.probe.devices import Devices, Known
from exporter.probe.look import look
from exporter.probe.neighbors import Neighbors
from exporter.probe.reach import Subject
from exporter.probe.traffic import counted
from exporter.probe.walks import Answers
from exporter.profiles.loader import Configuration
from exporter.protocols.snmp import Limits, Session, Target, Traffic
from exporter.settings import Settings
from exporter.telemetry import Telemetry

log = logging.getLogger(__name__)

UPTIME = "1.3.6.1.2.1.1.3.0"  # sysUpTime, which every agent has


@dataclass(slots=True)
class Prober:
    """Probes devices of the inventory and remembers how to talk to them."""

    settings: Settings
    telemetry: Telemetry
    devices: Devices
    known: dict[str, Known] = field(default_factory=dict)
    neighbors: Neighbors = field(default_factory=Neighbors)

    async def probe(
        self, name: str, snapshot: Snapshot, configuration: Configuration, deadline: float
    ) -> list[Family]:
        """Return what is true of a device now, and how it answers to pings where it is to be asked.

        Raises Busy where nothing can be said, as other scrapes of the device took all the time.
        """
        device = snapshot.devices[name]
        if pings.COLLECTOR not in device.modules:
            return await self._probe(name, snapshot, configuration, deadline)
        pinging = asyncio.create_task(pings.collect(device, deadline, self.telemetry))
        try:
            found = await self._probe(name, snapshot, configuration, deadline)
            return [*found, *await pinging]
        finally:
            pinging.cancel()

    def heard(self, name: str, snapshot: Snapshot) -> None:
        """Note that a device has spoken by itself, so that the next scrape of it asks it."""
        if (device := snapshot.devices.get(name)) is not None:
            self.devices.heard(str(Target(device.address, device.port)))

    async def objects(
        self, name: str, snapshot: Snapshot, oids: Iterable[str], deadline: float
    ) -> Answers:
        """Return a few objects of a device at once, without a turn among its scrapes.

        Raises ProtocolError where none of its auths is answered in time.
        """
        wanted = list(oids)

        async def ask(session: Session, limits: Limits) -> Answers:
            return await session.get(wanted, limits)

        return await self._asked(name, snapshot, deadline, ask)

    async def column(self, name: str, snapshot: Snapshot, oid: str, deadline: float) -> Answers:
        """Return a column of a device, and its sysUpTime, as `objects` does."""

        async def ask(session: Session, limits: Limits) -> Answers:
            uptime = await session.get([UPTIME], limits)
            return {**uptime, **await session.walk(oid, limits, rows=True)}

        return await self._asked(name, snapshot, deadline, ask)

    async def _asked(
        self,
        name: str,
        snapshot: Snapshot,
        deadline: float,
        ask: Callable[[Session, Limits], Awaitable[Answers]],
    ) -> Answers:
        subject = _subject(name, snapshot, self.known.get(name, Known()))
        now = asyncio.get_running_loop().time()
        share = (deadline - now) / max(len(subject.auths), 1)
        failure: ProtocolError = Unreachable(str(subject.target), "no auth is assigned")
        for position, auth in enumerate(subject.auths.values(), 1):
            traffic, limits = Traffic(), Limits(now + share * position, share / 4, 2)
            try:
                async with self.devices.session(subject.target, auth, limits, traffic) as session:
                    return await ask(session, limits)
            except ProtocolError as error:
                failure = error.alone()
            finally:
                counted(self.telemetry, traffic)
        raise failure

    async def silent_neighbor(
        self, name: str, interface: str, snapshot: Snapshot, seconds: float
    ) -> str:
        """Return a device at a port, as told within the hour, that does not answer; else `""`.

        One about which nothing can be found out now counts as one that answers.
        """
        loop = asyncio.get_running_loop()
        for neighbor in self.neighbors.at(name, interface, loop.time()):
            device = snapshot.devices.get(neighbor)
            if neighbor == name or device is None or not device.auths:
                continue
            try:
                await self.objects(neighbor, snapshot, [UPTIME], loop.time() + seconds)
            except (OutOfTime, Unreachable):
                return neighbor
            except ProtocolError as error:
                log.info("neighbour not asked", extra={"error": str(error)})
        return ""

    async def _probe(
        self, name: str, snapshot: Snapshot, configuration: Configuration, deadline: float
    ) -> list[Family]:
        """Return what SNMP says; a device that does not answer is `chm_device_up` 0.

        Raises Busy where nothing can be said, as other scrapes of the device took all the time.
        """
        known = self.known.setdefault(name, Known())
        if len(self.known) > len(snapshot.devices):
            self.known = {name: self.known[name] for name in self.known if name in snapshot.devices}
        subject = _subject(name, snapshot, known)
        try:
            async with self.devices.turn(str(subject.target), deadline) as state:
                seen = await look(self.devices, subject, state, configuration, deadline)
        except (Busy, LocalFault):
            raise
        except LeftAlone as error:
            log.info("device left alone", extra={"device": name, "error": str(error)})
        except ProtocolError as error:
            self.telemetry.probe_errors.labels(error.reason).inc()
            log.warning("device does not answer", extra={"device": name, "error": str(error)})
        else:
            outcomes.note(seen.outcomes, name, self.telemetry)
            found = seen.families()
            if self.settings.traps_listen:
                now = asyncio.get_running_loop().time()
                self.neighbors.note(name, found, snapshot.devices, now)
            return found
        up = family("chm_device_up")
        up.add(0)
        return [up]


def _subject(name: str, snapshot: Snapshot, known: Known) -> Subject:
    """Return a device of the inventory with the auth first that it took last."""
    device = snapshot.devices[name]
    candidates = sorted(device.auths, key=lambda auth: auth != known.auth)
    auths = {auth: snapshot.auths[auth] for auth in candidates}
    target = Target(device.address, device.port)
    return Subject(name, target, auths, device.profile, device.modules, known=known)
