"""`/snmp`: some modules on a target, as snmp_exporter does it; strict unless told otherwise."""

import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial

from exporter.config import Auth
from exporter.errors import BrokenOff, ProtocolError
from exporter.metrics import Family, family
from exporter.probe.devices import Devices, DeviceState
from exporter.probe.traffic import counted, limits_of, traffic_of
from exporter.probe.walks import Sessions, Walks, roots, side_by_side
from exporter.profiles.table import Table
from exporter.protocols import snmp
from exporter.protocols.snmp import Limits, Session, Target, Traffic
from exporter.settings import Settings
from exporter.telemetry import Telemetry

SCRAPE_HELP = {
    "snmp_scrape_walk_duration_seconds": "Time SNMP walk/bulkwalk took.",
    "snmp_scrape_packets_sent": "Packets sent for get, bulkget, and walk; including retries.",
    "snmp_scrape_packets_retried": "Packets retried for get, bulkget, and walk.",
    "snmp_scrape_pdus_returned": "PDUs returned from get, bulkget, and walk.",
    "snmp_scrape_duration_seconds": "Total SNMP time scrape took (walk and processing).",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a target; `partial` takes what can be had, strict is all or nothing."""

    target: Target
    auth: Auth
    tables: Mapping[str, Table]
    partial: bool = False
    context_engine_id: bytes = b""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one module fared."""

    name: str
    families: list[Family]
    measured: tuple[float, ...] = ()
    failure: ProtocolError | None = None
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Scraper:
    """Scrapes modules of targets, each device in its turn."""

    settings: Settings
    telemetry: Telemetry
    devices: Devices

    async def scrape(self, order: Order, deadline: float) -> list[Family]:
        """Return the series of the modules; a ProtocolError names the module that failed."""
        heard = traffic_of(self.telemetry)
        asker = f"{hash(order.auth):x}"
        async with self.devices.turn(str(order.target), deadline, asker) as device:
            try:
                outcomes = await self._outcomes(order, device, deadline, heard)
            except ProtocolError as error:
                self.devices.failed(device, error, heard)
                raise
            self.devices.answered(device)
        return _page(outcomes, partial=order.partial)

    async def _outcomes(
        self, order: Order, device: DeviceState, deadline: float, heard: Traffic
    ) -> list[Outcome]:
        settings = self.settings
        size = settings.module_concurrency * settings.walk_concurrency
        limits = Limits(deadline)
        async with AsyncExitStack() as stack:
            sessions = Sessions(partial(self._session, order, limits), stack, size)
            walks = Walks(sessions, device, self.devices, settings.walk_concurrency)
            if not order.partial:
                walks.roots = roots(table.module for table in order.tables.values())
            run = Run(order, walks, deadline, self.telemetry, heard)
            work = [partial(run.module, name, table) for name, table in order.tables.items()]
            outcomes = await side_by_side(settings.module_concurrency, work)
        failures = [outcome.failure for outcome in outcomes if outcome.failure]
        if len(failures) == len(outcomes):
            raise failures[0].alone()
        return outcomes

    def _session(
        self, order: Order, limits: Limits, traffic: Traffic
    ) -> AbstractAsyncContextManager[Session]:
        return snmp.session(
            order.target,
            order.auth,
            limits,
            traffic,
            engines=self.devices.engines,
            context_engine_id=order.context_engine_id,
            source_address=self.settings.source_address,
        )


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
        traffic, started = traffic_of(self.telemetry), time.perf_counter()
        limits = limits_of(table.module, self.deadline)
        try:
            answers = await self.walks.collect(table.module, limits, traffic)
            if traffic.broken and not self.order.partial:
                raise BrokenOff(str(self.order.target), traffic.broken)
        except ProtocolError as error:
            error.module = name
            if not self.order.partial:
                raise
            return Outcome(name, [], failure=error.alone())
        finally:
            counted(self.telemetry, traffic)
            self.heard.packets += traffic.packets
            self.heard.replies += traffic.replies
        walked = time.perf_counter() - started
        families = table.families(answers, str(self.order.target))
        took = time.perf_counter() - started
        self.telemetry.collection_seconds.labels(name).observe(took)
        measured = (walked, traffic.packets, traffic.retries, traffic.values, took)
        return Outcome(name, families, measured, incomplete=traffic.incomplete)


def _page(outcomes: list[Outcome], *, partial: bool) -> list[Family]:
    gauges = {name: Family(name, "gauge", text) for name, text in SCRAPE_HELP.items()}
    success = family("chm_collector_success")
    families: list[Family] = []
    for outcome in outcomes:
        families += outcome.families
        complete = outcome.failure is None and not outcome.incomplete
        success.add(int(complete), {"collector": outcome.name})
        if outcome.failure is None:
            for gauge, number in zip(gauges.values(), outcome.measured, strict=True):
                gauge.add(number, {"module": outcome.name})
    return [*families, *gauges.values(), *([success] if partial else [])]
