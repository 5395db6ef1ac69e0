"""`/probe`: all there is of a device of the inventory; a device that fails is data."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial

from exporter.config import Auth
from exporter.errors import LeftAlone, LocalFault, ProtocolError, Unreachable
from exporter.inventory import Device, Snapshot
from exporter.metrics import Family, family
from exporter.probe import pings
from exporter.probe.devices import Devices, DeviceState
from exporter.probe.traffic import counted, limits_of, traffic_of
from exporter.probe.walks import Answers, Sessions, Walks
from exporter.profiles import health, identify, values
from exporter.profiles.loader import Configuration
from exporter.profiles.schema import Module, Profile
from exporter.profiles.table import Table
from exporter.protocols import snmp
from exporter.protocols.snmp import Limits, Session, Target, Traffic
from exporter.settings import Settings
from exporter.telemetry import Telemetry

log = logging.getLogger(__name__)

REACH_SECONDS = 5.0  # within which a device that is down is known to be
FIRST_WAIT = 1 / 5  # of that; two growing retries fill the rest
REACH_RETRIES = 2
COLLECTOR_SHARE = 1 / 8  # of what is left: how long a collector first waits for an answer
COLLECTOR_RETRIES = 2  # with growing waits, so one that fails leaves time for the others


@dataclass(slots=True)
class Known:
    """What earlier probes learned about a device."""

    auth: str = ""
    sys_object_id: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """A device that answers: the session, the auth it took, and its system group."""

    session: Session
    auth: str
    system: Answers


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
        device = snapshot.devices[name]
        known = self.known.setdefault(name, Known())
        if len(self.known) > len(snapshot.devices):
            self.known = {name: self.known[name] for name in self.known if name in snapshot.devices}
        target = Target(device.address, device.port)
        up = family("chm_device_up")
        try:
            async with self.devices.turn(str(target), deadline) as state, AsyncExitStack() as stack:
                candidates = sorted(device.auths, key=lambda auth: auth != known.auth)
                auths = {auth: snapshot.auths[auth] for auth in candidates}
                reached = await self._reach(stack, target, auths, state, deadline)
                if reached is None:
                    up.add(0)
                    return [up]
                up.add(1)
                known.auth, auth = reached.auth, auths[reached.auth]
                sessions = Sessions(
                    partial(self._session, target, auth, Limits(deadline)),
                    stack,
                    self.settings.walk_concurrency,
                    [reached.session],
                )
                walks = Walks(sessions, state, self.devices, sessions.size, alive=True)
                run = Run(name, walks, deadline, self.telemetry)
                found = await run.identified(device, known, reached.system, configuration.profiles)
                return [up, *found, *await run.collected(device, known, configuration)]
        except LeftAlone as error:
            log.info("device left alone", extra={"device": name, "error": str(error)})
            up.add(0)
            return [up]

    def _session(
        self, target: Target, auth: Auth, limits: Limits, traffic: Traffic
    ) -> AbstractAsyncContextManager[Session]:
        return snmp.session(
            target,
            auth,
            limits,
            traffic,
            engines=self.devices.engines,
            source_address=self.settings.source_address,
        )

    async def _reach(
        self,
        stack: AsyncExitStack,
        target: Target,
        auths: Mapping[str, Auth],
        state: DeviceState,
        deadline: float,
    ) -> Reached | None:
        """Return a session with the first auth that is answered, or None where none is."""
        failure: ProtocolError = Unreachable(str(target), "no auth is assigned")
        now = asyncio.get_running_loop().time()
        budget = min(REACH_SECONDS, (deadline - now) / 2) / max(len(auths), 1)
        heard = Traffic()
        for position, (name, auth) in enumerate(auths.items(), 1):
            limits = Limits(now + budget * position, budget * FIRST_WAIT, REACH_RETRIES)
            traffic = traffic_of(self.telemetry)
            try:
                session = await stack.enter_async_context(
                    self._session(target, auth, limits, traffic)
                )
                system = await session.get(identify.SYSTEM, limits)
            except LocalFault:
                raise  # another auth would fare no better, and the device may be well
            except ProtocolError as error:
                failure = error.alone()
            else:
                self.devices.answered(state)
                return Reached(session, name, system)
            finally:
                counted(self.telemetry, traffic)
                heard.packets += traffic.packets
                heard.replies += traffic.replies
        self.devices.failed(state, failure, heard)
        self.telemetry.probe_errors.labels(failure.reason).inc()
        log.warning("device does not answer", extra={"device": str(target), "error": str(failure)})
        return None


@dataclass(slots=True)
class Run:
    """One probe of a device that answers."""

    name: str
    walks: Walks
    deadline: float
    telemetry: Telemetry

    async def identified(
        self, device: Device, known: Known, system: Answers, profiles: Mapping[str, Profile]
    ) -> list[Family]:
        """Return uptime and identity; the profile is chosen anew when sysObjectID changes."""
        sys_object_id = values.text(system.get(identify.SYS_OBJECT_ID), "")
        if known.profile not in profiles or known.sys_object_id != sys_object_id:
            descr = values.text(system.get(identify.SYS_DESCR), "DisplayString")
            known.sys_object_id = sys_object_id
            known.profile = identify.profile(profiles, sys_object_id, descr)
        profile = profiles[self._chosen(device, known, profiles)]
        uptime, info = family("chm_uptime_seconds"), family("chm_device_info")
        if (seconds := identify.uptime(system)) is not None:
            uptime.add(seconds)
        try:
            more = await self._facts(profile)
        except ProtocolError as error:
            self._failed("info", error)
        else:
            info.add(1, identify.facts(profile, {**system, **more}))
        return [uptime, info]

    async def _facts(self, profile: Profile) -> Answers:
        traffic = traffic_of(self.telemetry)
        try:
            async with self.walks.sessions.one(traffic) as session:
                return await session.get(identify.oids(profile), self._limits(Module()))
        finally:
            counted(self.telemetry, traffic)

    def _chosen(self, device: Device, known: Known, profiles: Mapping[str, Profile]) -> str:
        if device.profile is None:
            return known.profile
        if device.profile in profiles:
            return device.profile
        log.error("unknown profile", extra={"device": self.name, "profile": device.profile})
        return known.profile

    async def collected(
        self, device: Device, known: Known, configuration: Configuration
    ) -> list[Family]:
        """Return the series of every module of the profile and of the device, and how each went."""
        profile = configuration.profiles[self._chosen(device, known, configuration.profiles)]
        success = family("chm_collector_success")
        duration = family("chm_collector_duration_seconds")
        amount = family("chm_collector_samples")
        out: list[Family] = []
        asked = [name for name in device.modules if name != pings.COLLECTOR]
        for name in dict.fromkeys((*profile.modules, *asked)):
            table = configuration.modules.get(name)
            given = {made.name for made in out}
            if table is not None and _superfluous(table, given) and name not in device.modules:
                continue
            started, worked = time.perf_counter(), 0
            found: list[Family] = []
            if table is None:
                log.error("unknown module", extra={"device": self.name, "collector": name})
            else:
                found, worked = await self._collect(name, table, given, name in device.modules)
            out += found
            success.add(worked, {"collector": name})
            duration.add(time.perf_counter() - started, {"collector": name})
            amount.add(sum(len(made.blocks) for made in found), {"collector": name})
        return [*out, success, duration, amount]

    async def _collect(
        self,
        name: str,
        table: Table,
        given: set[str],
        asked_for: bool,  # noqa: FBT001
    ) -> tuple[list[Family], int]:
        """Return the series of one module, and 1 where the agent answered all of it."""
        traffic = traffic_of(self.telemetry)
        try:
            limits = self._limits(table.module)
            answers = await self.walks.collect(table.module, limits, traffic)
        except ProtocolError as error:
            self._failed(name, error)
            return [], 0
        finally:
            counted(self.telemetry, traffic)
        rows = table.rows(answers)
        found = health.families(table, answers, rows, given)
        # The MIB's own names, too, unless the module is only there for the vocabulary.
        if asked_for or not table.module.health:
            found += table.families(answers, self.name)
        return found, int(not traffic.incomplete)

    def _limits(self, module: Module) -> Limits:
        left = max(self.deadline - asyncio.get_running_loop().time(), 0)
        return replace(
            limits_of(module, self.deadline),
            timeout=min(module.timeout, left * COLLECTOR_SHARE),
            retries=min(module.retries, COLLECTOR_RETRIES),
        )

    def _failed(self, collector: str, error: ProtocolError) -> None:
        self.telemetry.probe_errors.labels(error.reason).inc()
        detail = {"device": self.name, "collector": collector, "error": str(error)}
        log.warning("collector failed", extra=detail)


def _superfluous(table: Table, given: set[str]) -> bool:
    """Return whether a module could only repeat in other words what the device has said."""
    entries = table.module.health
    return bool(entries) and all(entry.fallback and entry.family in given for entry in entries)
