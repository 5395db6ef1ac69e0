"""How the modules of a scrape fared, and the families that tell of it."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from exporter.errors import ProtocolError
from exporter.metrics import Family, family
from exporter.profiles.rows import Answers
from exporter.profiles.table import Table
from exporter.telemetry import Telemetry

log = logging.getLogger(__name__)

SCRAPE_HELP = {
    "snmp_scrape_walk_duration_seconds": "Time SNMP walk/bulkwalk took.",
    "snmp_scrape_packets_sent": "Packets sent for get, bulkget, and walk; including retries.",
    "snmp_scrape_packets_retried": "Packets retried for get, bulkget, and walk.",
    "snmp_scrape_pdus_returned": "PDUs returned from get, bulkget, and walk.",
    "snmp_scrape_duration_seconds": "Total SNMP time scrape took (walk and processing).",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one module fared: what it yielded, and in the order of `SCRAPE_HELP` what it took.

    `answers` are what the device said, and `given` the families that it had told before. What is
    not `needed` was not asked for, and what is `unknown` is no module of ours.
    """

    name: str
    table: Table | None = None
    families: list[Family] = field(default_factory=list)
    measured: tuple[float, ...] = ()
    seconds: float = 0.0
    failure: ProtocolError | None = None
    incomplete: bool = False
    answers: Answers = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    needed: bool = True
    unknown: bool = False

    @property
    def success(self) -> bool:
        """Whether the agent answered all that it was asked, be it that there is no such thing."""
        return self.failure is None and not (self.incomplete or self.unknown)

    @property
    def samples(self) -> int:
        """How many samples came of it."""
        return sum(len(made.blocks) for made in self.families)


def note(outcomes: Iterable[Outcome], device: str, telemetry: Telemetry) -> None:
    """Count and log the failures of a device's collectors."""
    for outcome in outcomes:
        if (failure := outcome.failure) is not None:
            telemetry.probe_errors.labels(failure.reason).inc()
            detail = {"device": device, "collector": outcome.name, "error": str(failure)}
            log.warning("collector failed", extra=detail)


def measured(outcomes: Iterable[Outcome]) -> list[Family]:
    """Return snmp_exporter's five gauges of every module that was collected."""
    gauges = [Family(name, "gauge", text) for name, text in SCRAPE_HELP.items()]
    for outcome in outcomes:
        if outcome.measured:
            for gauge, number in zip(gauges, outcome.measured, strict=True):
                gauge.add(number, {"module": outcome.name})
    return gauges


def successes(outcomes: Iterable[Outcome]) -> Family:
    """Return which collectors got all they asked for."""
    made = family("chm_collector_success")
    for outcome in outcomes:
        made.add(int(outcome.success), {"collector": outcome.name})
    return made


def collectors(outcomes: Iterable[Outcome]) -> list[Family]:
    """Return how every collector that was asked for fared, how long it took, what it yielded."""
    asked = [outcome for outcome in outcomes if outcome.needed]
    duration, amount = family("chm_collector_duration_seconds"), family("chm_collector_samples")
    failed = family("chm_collectors_failed")
    failed.add(sum(not outcome.success for outcome in asked))
    for outcome in asked:
        duration.add(outcome.seconds, {"collector": outcome.name})
        amount.add(outcome.samples, {"collector": outcome.name})
    return [successes(asked), failed, duration, amount]
