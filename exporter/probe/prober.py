"""`/probe`: all there is of a device of the inventory; a device that fails is data."""

import asyncio
import logging
from dataclasses import dataclass, field

from exporter.errors import Busy, LeftAlone, LocalFault, ProtocolError
from exporter.inventory import Snapshot
from exporter.metrics import Family, family
from exporter.probe import outcomes, pings
from exporter.probe.devices import Devices, Known
from exporter.probe.look import look
from exporter.probe.reach import Subject
from exporter.profiles.loader import Configuration
from exporter.protocols.snmp import Target
from exporter.settings import Settings
from exporter.telemetry import Telemetry

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Prober:
    """Probes devices of the inventory and remembers how to talk to them."""

    settings: Settings
    telemetry: Telemetry
    devices: Devices
    known: dict[str, Known] = field(default_factory=dict)

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
            return seen.families()
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
