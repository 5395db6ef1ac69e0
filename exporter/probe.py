"""Scrapes: some modules on a target (`/snmp`), or all there is of a known device (`/probe`)."""

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

from exporter.config import Auth
from exporter.errors import ProtocolError, Unreachable
from exporter.inventory import Device, Snapshot
from exporter.metrics import Family, family
from exporter.profiles import health, identify, values
from exporter.profiles.loader import Configuration
from exporter.profiles.rows import Answers
from exporter.profiles.schema import Filter, Module, Profile
from exporter.profiles.table import Table
from exporter.protocols import snmp
from exporter.protocols.snmp import Limits, Session, Target, Traffic
from exporter.telemetry import Telemetry

log = logging.getLogger(__name__)

REACH_SECONDS = 5.0  # within which a device that is down is known to be
FIRST_WAIT = 1 / 5  # of that; two growing retries fill the rest
REACH_RETRIES = 2
COLLECTOR_SHARE = 1 / 8  # of what is left: how long a collector first waits for an answer
COLLECTOR_RETRIES = 2  # with growing waits, so one that fails leaves time for the others

SCRAPE_HELP = {
    "snmp_scrape_walk_duration_seconds": "Time SNMP walk/bulkwalk took.",
    "snmp_scrape_packets_sent": "Packets sent for get, bulkget, and walk; including retries.",
    "snmp_scrape_packets_retried": "Packets retried for get, bulkget, and walk.",
    "snmp_scrape_pdus_returned": "PDUs returned from get, bulkget, and walk.",
    "snmp_scrape_duration_seconds": "Total SNMP time scrape took (walk and processing).",
}


async def scrape(
    target: Target,
    auth: Auth,
    tables: dict[str, Table],
    deadline: float,
    telemetry: Telemetry,
) -> list[Family]:
    """Return the series of modules on a target; the first failure fails the whole scrape."""
    families: list[Family] = []
    gauges = {name: Family(name, "gauge", text) for name, text in SCRAPE_HELP.items()}
    limits = Limits(deadline)
    async with snmp.session(target, auth, limits, _traffic(telemetry)) as session:
        for name, table in tables.items():
            session.traffic = traffic = _traffic(telemetry)
            started = time.perf_counter()
            try:
                answers = await collect(session, table.module, _limits(table.module, deadline), {})
            finally:
                _count(telemetry, traffic)
            walked = time.perf_counter() - started
            families += table.families(answers, table.rows(answers))
            took = time.perf_counter() - started
            telemetry.collection_seconds.labels(name).observe(took)
            measured = (walked, traffic.packets, traffic.retries, traffic.values, took)
            for gauge, number in zip(gauges.values(), measured, strict=True):
                gauge.add(number, {"module": name})
    return [*families, *gauges.values()]


Walked = dict[str, dict[str, values.Value]]
"""What walks of this scrape returned, by the OID they began at."""


async def collect(
    session: Session, module: Module, limits: Limits, walked: Walked
) -> dict[str, values.Value]:
    """Return everything a module asks for; what another module has walked is not walked again."""

    async def walk(oid: str) -> dict[str, values.Value]:
        if oid not in walked:
            walked[oid] = await session.walk(oid, limits)
        return walked[oid]

    walks, gets = list(module.walk), list(module.get)
    for rule in module.filters:
        column = await walk(rule.oid)
        kept = [oid.removeprefix(rule.oid) for oid, value in column.items() if _kept(rule, value)]
        walks = [oid for oid in walks if oid not in rule.targets]
        gets += [target + index for target in rule.targets for index in kept]
    answers = await session.get(gets, limits) if gets else {}
    for oid in walks:
        answers |= await walk(oid)
    return answers


def _kept(rule: Filter, value: values.Value) -> bool:
    shown = values.text(value, "DisplayString")
    return any(re.fullmatch(pattern, shown) for pattern in rule.values)


def _limits(module: Module, deadline: float) -> Limits:
    return Limits(
        deadline,
        module.timeout,
        module.retries,
        module.max_repetitions,
        module.allow_nonincreasing_oids,
    )


def _traffic(telemetry: Telemetry) -> Traffic:
    return Traffic(observe=telemetry.packet_seconds.observe)


def _count(telemetry: Telemetry, traffic: Traffic) -> None:
    telemetry.packets.inc(traffic.packets)
    telemetry.packet_retries.inc(traffic.retries)
    telemetry.refusals.inc(traffic.refusals)


@dataclass(slots=True)
class Known:
    """What earlier probes learned about a device."""

    auth: str = ""
    sys_object_id: str = ""
    profile: str = ""


@dataclass(slots=True)
class Prober:
    """Probes devices of the inventory and remembers how to talk to them."""

    telemetry: Telemetry
    known: dict[str, Known] = field(default_factory=dict)

    async def probe(
        self, name: str, snapshot: Snapshot, configuration: Configuration, deadline: float
    ) -> list[Family]:
        """Return what is true of a device now; one that does not answer is `chm_device_up` 0."""
        device = snapshot.devices[name]
        known = self.known.setdefault(name, Known())
        if len(self.known) > len(snapshot.devices):
            self.known = {name: self.known[name] for name in self.known if name in snapshot.devices}
        up = family("chm_device_up")
        async with AsyncExitStack() as stack:
            try:
                session, system = await self._reach(stack, device, known, snapshot, deadline)
            except ProtocolError as error:
                self.telemetry.probe_errors.labels(error.reason).inc()
                log.warning("device does not answer", extra={"device": name, "error": str(error)})
                up.add(0)
                return [up]
            up.add(1)
            run = Run(name, session, deadline, self.telemetry)
            try:
                found = await run.identified(device, known, system, configuration.profiles)
                return [up, *found, *await run.collected(device, known, configuration)]
            finally:
                _count(self.telemetry, session.traffic)

    async def _reach(
        self,
        stack: AsyncExitStack,
        device: Device,
        known: Known,
        snapshot: Snapshot,
        deadline: float,
    ) -> tuple[Session, Answers]:
        """Return a session and the system group, with the first auth that is answered."""
        target = Target(device.address, device.port)
        failure: ProtocolError = Unreachable(str(target), "no auth is assigned")
        names = sorted(device.auths, key=lambda auth: auth != known.auth)
        now = asyncio.get_running_loop().time()
        budget = min(REACH_SECONDS, (deadline - now) / 2) / max(len(names), 1)
        for position, auth in enumerate(names, 1):
            limits = Limits(now + budget * position, budget * FIRST_WAIT, REACH_RETRIES)
            traffic = _traffic(self.telemetry)
            try:
                session = await stack.enter_async_context(
                    snmp.session(target, snapshot.auths[auth], limits, traffic)
                )
                system = await session.get(identify.SYSTEM, limits)
            except ProtocolError as error:
                failure = error
                _count(self.telemetry, traffic)
            else:
                known.auth = auth
                return session, system
        raise failure


@dataclass(slots=True)
class Run:
    """One probe of a device that answers."""

    name: str
    session: Session
    deadline: float
    telemetry: Telemetry
    walked: Walked = field(default_factory=dict)

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
            more = await self.session.get(identify.oids(profile), self._limits(Module()))
        except ProtocolError as error:
            self._failed("info", error)
        else:
            info.add(1, identify.facts(profile, {**system, **more}))
        return [uptime, info]

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
        for name in dict.fromkeys((*profile.modules, *device.modules)):
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
            amount.add(sum(len(made.samples) for made in found), {"collector": name})
        return [*out, success, duration, amount]

    async def _collect(
        self,
        name: str,
        table: Table,
        given: set[str],
        asked_for: bool,  # noqa: FBT001
    ) -> tuple[list[Family], int]:
        """Return the series of one module, and 1 where the agent answered all of it."""
        traffic = self.session.traffic
        refusals = traffic.refusals
        try:
            answers = await collect(
                self.session, table.module, self._limits(table.module), self.walked
            )
        except ProtocolError as error:
            self._failed(name, error)
            return [], 0
        rows = table.rows(answers)
        found = health.families(table, answers, rows, given)
        # The MIB's own names, too, unless the module is only there for the vocabulary.
        if asked_for or not table.module.health:
            found += table.families(answers, rows)
        return found, int(traffic.refusals == refusals)

    def _limits(self, module: Module) -> Limits:
        left = max(self.deadline - asyncio.get_running_loop().time(), 0)
        return replace(
            _limits(module, self.deadline),
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
