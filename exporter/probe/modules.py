"""`/snmp`: some modules on a target, as snmp_exporter does it; strict unless told otherwise."""

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from exporter.config import Auth
from exporter.errors import BrokenOff, ProtocolError, Unidentified
from exporter.metrics import Family
from exporter.probe import outcomes
from exporter.probe.devices import Devices, DeviceState
from exporter.probe.look import Look, look
from exporter.probe.outcomes import Outcome
from exporter.probe.reach import Subject
from exporter.probe.traffic import counted, limits_of
from exporter.probe.walks import Sessions, Walks, roots, side_by_side
from exporter.profiles.loader import Configuration
from exporter.profiles.table import Table
from exporter.protocols.snmp import Limits, Target, Traffic
from exporter.settings import Settings
from exporter.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a target; `partial` takes what can be had, strict is all or nothing.

    With `auto` the target is identified, and asked for what its profile in there says as well.
    """

    target: Target
    auth: Auth
    tables: Mapping[str, Table]
    partial: bool = False
    context_engine_id: bytes = b""
    auto: Configuration | None = None


@dataclass(frozen=True, slots=True)
class Scraper:
    """Scrapes modules of targets, each device in its turn."""

    settings: Settings
    telemetry: Telemetry
    devices: Devices

    async def scrape(self, order: Order, deadline: float) -> list[Family]:
        """Return the series of the modules; a ProtocolError names the module that failed."""
        asker = f"{hash(order.auth):x}"
        async with self.devices.turn(str(order.target), deadline, asker) as device:
            if order.auto is not None:
                seen = await self._look(order, order.auto, device, deadline)
                return self._whole(seen, order)
            heard = Traffic()
            try:
                found = await self._outcomes(order, device, deadline, heard)
            except ProtocolError as error:
                self.devices.failed(device, error, heard)
                raise
            self.devices.answered(device)
        return _page(found, partial=order.partial)

    async def _look(
        self, order: Order, configuration: Configuration, device: DeviceState, deadline: float
    ) -> Look:
        name, modules = str(order.target), tuple(order.tables)
        auths, engine_id = {name: order.auth}, order.context_engine_id
        subject = Subject(name, order.target, auths, None, modules, engine_id, known=device.known)
        return await look(self.devices, subject, device, configuration, deadline)

    def _whole(self, seen: Look, order: Order) -> list[Family]:
        """Return all of a device that was identified; what was asked for by name must be there."""
        for outcome in seen.outcomes:
            unidentified = isinstance(outcome.failure, Unidentified)
            wanted = outcome.name in order.tables and not order.partial
            if outcome.failure is not None and (unidentified or wanted):
                raise outcome.failure.alone()
        outcomes.note(seen.outcomes, str(order.target), self.telemetry)
        return [*seen.families(), *outcomes.measured(seen.outcomes)]

    async def _outcomes(
        self, order: Order, device: DeviceState, deadline: float, heard: Traffic
    ) -> list[Outcome]:
        settings = self.settings
        size = settings.module_concurrency * settings.walk_concurrency
        limits = Limits(deadline)
        async with AsyncExitStack() as stack:
            opening = partial(self.devices.session, order.target, order.auth, limits)
            engine_id = order.context_engine_id
            sessions = Sessions(lambda traffic: opening(traffic, engine_id), stack, size)
            walks = Walks(sessions, device, self.devices, settings.walk_concurrency)
            if not order.partial:
                walks.roots = roots(table.module for table in order.tables.values())
            run = Run(order, walks, deadline, self.telemetry, heard)
            work = [partial(run.module, name, table) for name, table in order.tables.items()]
            found = await side_by_side(settings.module_concurrency, work)
        failures = [outcome.failure for outcome in found if outcome.failure]
        if len(failures) == len(found):
            raise failures[0].alone()
        return found


@dataclass(frozen=True, slots=True)
class Run:
    """One scrape under way; `heard` sums up what all sessions sent and got."""

    order: Order
    walks: Walks
    deadline: float
    telemetry: Telemetry
    heard: Traffic

    async def module(self, name: str, table: Table) -> Outcome:
        """Return how one module fared; a strict order raises what went wrong."""
        traffic, started = Traffic(), time.perf_counter()
        limits = limits_of(table.module, self.deadline)
        try:
            answers = await self.walks.collect(table, limits, traffic)
            if traffic.broken and not self.order.partial:
                raise BrokenOff(str(self.order.target), traffic.broken)
        except ProtocolError as error:
            error.module = name
            if not self.order.partial:
                raise
            return Outcome(name, table, failure=error.alone())
        finally:
            counted(self.telemetry, traffic)
            self.heard.packets += traffic.packets
            self.heard.replies += traffic.replies
        walked = time.perf_counter() - started
        families = table.families(answers, str(self.order.target))
        took = time.perf_counter() - started
        self.telemetry.collection_seconds.labels(name).observe(took)
        measured = (walked, traffic.packets, traffic.retries, traffic.values, took)
        return Outcome(name, table, families, measured, took, incomplete=traffic.incomplete)


def _page(found: list[Outcome], *, partial: bool) -> list[Family]:
    families = [made for outcome in found for made in outcome.families]
    success = [outcomes.successes(found)] if partial else []
    return [*families, *outcomes.measured(found), *success]
