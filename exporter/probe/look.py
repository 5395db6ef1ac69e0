"""A look at a device that answers: what it is, and what every module of its profile yields."""

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from exporter.errors import ProtocolError, Unidentified
from exporter.metrics import Family, family
from exporter.probe import faults, limits, outcomes, pings, ports
from exporter.probe.devices import Devices, DeviceState
from exporter.probe.outcomes import Outcome
from exporter.probe.reach import Subject, reach
from exporter.probe.traffic import counted, limits_of
from exporter.probe.walks import Answers, Sessions, Walks
from exporter.profiles import health, identify
from exporter.profiles.loader import Configuration
from exporter.profiles.schema import Module, Profile
from exporter.profiles.table import Table
from exporter.protocols.snmp import Limits, Traffic

log = logging.getLogger(__name__)

COLLECTOR_SHARE = 1 / 8  # of what is left: how long a collector first waits for an answer
COLLECTOR_RETRIES = 2  # with growing waits, so one that fails leaves time for the others
IDENTITY = "identity"
"""The collector of what a device says about itself."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: the auth that was taken, the profile in use, and the collectors in turn.

    The first collector is the identity, whose answers are the system group and the facts.
    """

    auth: str
    profile: str
    outcomes: list[Outcome]

    def families(self) -> list[Family]:
        """Return everything as series."""
        up = family("chm_device_up")
        up.add(1)
        found = [made for outcome in self.outcomes for made in outcome.families]
        said = [*ports.families(found), *limits.families(found), *faults.families(found)]
        return [up, *found, *said, *outcomes.collectors(self.outcomes)]


async def look(
    devices: Devices,
    subject: Subject,
    state: DeviceState,
    configuration: Configuration,
    deadline: float,
) -> Look:
    """Return what a device is and tells, or raise why it does not answer.

    Whatever fails after its first answer is an outcome.
    """
    async with AsyncExitStack() as stack:
        reached = await reach(devices, subject, state, stack, deadline)
        subject.known.auth = reached.auth
        auth, width = subject.auths[reached.auth], devices.settings.walk_concurrency
        opening = partial(devices.session, subject.target, auth, Limits(deadline))
        sessions = Sessions(
            lambda traffic: opening(traffic, subject.context_engine_id),
            stack,
            width,
            [reached.session],
        )
        walks = Walks(sessions, state, devices, width, alive=True)
        run = Run(subject, walks, deadline, devices, configuration)
        name = run.profile(reached.system)
        profile = configuration.profiles[name]
        identity = await run.identity(name, profile, reached.system)
        return Look(reached.auth, name, [identity, *await run.collected(profile)])


@dataclass(slots=True)
class Run:
    """A look under way."""

    subject: Subject
    walks: Walks
    deadline: float
    devices: Devices
    configuration: Configuration

    def profile(self, system: Answers) -> str:
        """Return the name of the profile: the one chosen for the device, or the one it fits."""
        profiles, chosen = self.configuration.profiles, self.subject.profile
        if chosen is not None:
            if chosen in profiles:
                return chosen
            log.error("unknown profile", extra={"device": self.subject.name, "profile": chosen})
        known, said = self.subject.known, identify.said(system)
        if not said[0] and known.profile in profiles:
            return known.profile  # it told earlier, and need not be another for keeping quiet
        if said != known.said or known.among is not profiles:
            known.said, known.among = said, profiles
            known.profile = identify.profile(profiles, *said)
        return known.profile

    async def identity(self, name: str, profile: Profile, system: Answers) -> Outcome:
        """Return uptime and facts, and whether the device told them."""
        started, traffic = time.perf_counter(), Traffic()
        uptime, info = family("chm_uptime_seconds"), family("chm_device_info")
        if (seconds := identify.uptime(system)) is not None:
            uptime.add(seconds)
        answers, failure = system, self._unidentified(system)
        try:
            async with self.walks.sessions.one(traffic) as session:
                told = await session.get(identify.oids(profile), self._limits(Module()))
            answers = {**system, **told}
            answers |= await self._chassis(profile, answers, traffic)
        except ProtocolError as error:
            failure = _failed(IDENTITY, error)
        finally:
            counted(self.devices.telemetry, traffic)
        if answers is not system:
            info.add(1, {**identify.facts(profile, answers), "profile": name})
        took = time.perf_counter() - started
        found = [uptime, info]
        return Outcome(IDENTITY, None, found, (), took, failure, traffic.incomplete, answers)

    async def _chassis(self, profile: Profile, answers: Answers, traffic: Traffic) -> Answers:
        """Return what the row of the chassis says, if that is asked for."""
        if not identify.silent(profile, answers):
            return {}
        limits = self._limits(Module())
        classes = await self.walks.walk(identify.CLASSES, limits, traffic, rows=True)
        if not (wanted := identify.of_chassis(profile, classes)):
            return {}
        async with self.walks.sessions.one(traffic) as session:
            return {**classes, **await session.get(wanted, limits)}

    def _unidentified(self, system: Answers) -> ProtocolError | None:
        if self.subject.profile is not None or identify.said(system)[0]:
            return None
        problem = "cannot be identified: it does not tell its sysObjectID"
        return Unidentified(str(self.subject.target), problem)

    async def collected(self, profile: Profile) -> list[Outcome]:
        """Return how every module of the profile and of the device fared, in that order."""
        asked = [name for name in self.subject.modules if name != pings.COLLECTOR]
        found: list[Outcome] = []
        given: set[str] = set()
        named = profile.modules if self.subject.whole else ()
        for name in dict.fromkeys((*named, *asked)):
            table = self.configuration.modules.get(name)
            if table is None:
                log.error("unknown module", extra={"device": self.subject.name, "collector": name})
                found.append(Outcome(name, unknown=True))
            elif superfluous(table, given) and name not in asked:
                found.append(Outcome(name, table, given=frozenset(given), needed=False))
            else:
                found.append(await self._collect(name, table, given, name in asked))
            given |= {made.name for made in found[-1].families}
        return found

    async def _collect(
        self,
        name: str,
        table: Table,
        given: set[str],
        asked_for: bool,  # noqa: FBT001
    ) -> Outcome:
        telemetry, started = self.devices.telemetry, time.perf_counter()
        traffic, before = Traffic(), frozenset(given)
        try:
            limits = self._limits(table.module)
            answers = await self.walks.collect(table, limits, traffic)
        except ProtocolError as error:
            failure, took = _failed(name, error), time.perf_counter() - started
            return Outcome(name, table, seconds=took, failure=failure, given=before)
        finally:
            counted(telemetry, traffic)
        walked = time.perf_counter() - started
        found = health.families(table, answers, table.rows(answers), given)
        # The MIB's own names, too, unless the module is only there for the vocabulary.
        if asked_for or not table.module.health:
            found += table.families(answers, self.subject.name)
        took = time.perf_counter() - started
        measured = (walked, traffic.packets, traffic.retries, traffic.values, took)
        return Outcome(
            name, table, found, measured, took, None, traffic.incomplete, answers, before
        )

    def _limits(self, module: Module) -> Limits:
        left = max(self.deadline - asyncio.get_running_loop().time(), 0)
        return replace(
            limits_of(module, self.deadline),
            timeout=min(module.timeout, left * COLLECTOR_SHARE),
            retries=min(module.retries, COLLECTOR_RETRIES),
        )


def _failed(collector: str, error: ProtocolError) -> ProtocolError:
    error.module = collector
    return error.alone()


def superfluous(table: Table, given: set[str]) -> bool:
    """Return whether a module could only repeat in other words what the device has said."""
    entries = table.module.health
    return bool(entries) and all(entry.fallback and entry.family in given for entry in entries)
