"""`/icmp`, with the names of blackbox_exporter, and the collector `icmp` of `/probe`."""

import asyncio
import logging
import time
from collections.abc import Iterator
from statistics import fmean

from exporter.errors import LocalFault, NotPermitted, OutOfTime, ProtocolError, UnresolvedName
from exporter.inventory import Device
from exporter.metrics import Family, family
from exporter.protocols import icmp
from exporter.protocols.icmp import Echoes, Pace
from exporter.protocols.snmp import Target
from exporter.telemetry import Telemetry

log = logging.getLogger(__name__)

COLLECTOR = "icmp"
"""What a device lists among its modules to be pinged, too."""

NOT_ASKED = (NotPermitted, LocalFault, OutOfTime)

HELP = {
    "probe_success": "Displays whether or not the probe was a success",
    "probe_duration_seconds": "Returns how long the probe took to complete in seconds",
    "probe_dns_lookup_time_seconds": "Returns the time taken for probe dns lookup in seconds",
    "probe_ip_protocol": "Specifies whether probe ip protocol is IP4 or IP6",
    "probe_icmp_duration_seconds": "Duration of icmp request by phase",
    "probe_icmp_reply_hop_limit": "Replied packet hop limit (TTL for ipv4)",
}


async def probe(target: Target, pace: Pace, deadline: float, telemetry: Telemetry) -> list[Family]:
    """Return how a host answers; one that does not is `probe_success` 0.

    Raises NotPermitted, LocalFault and OutOfTime where it was not asked, so that nothing is known.
    """
    started = time.perf_counter()
    address, resolved, echoes = "", 0.0, Echoes()
    try:
        address = await _address(target, deadline)
        resolved = time.perf_counter() - started
        echoes = await icmp.ping(address, pace, deadline)
    except NOT_ASKED:
        raise
    except ProtocolError as error:
        telemetry.probe_errors.labels(error.reason).inc()
        log.warning("host cannot be pinged", extra={"error": str(error)})
    took = time.perf_counter() - started
    plain = {
        "probe_success": int(bool(echoes.round_trips)),
        "probe_duration_seconds": took,
        "probe_dns_lookup_time_seconds": resolved or took,
    }
    if address:
        plain["probe_ip_protocol"] = 6 if ":" in address else 4
    if echoes.hop_limit is not None:
        plain["probe_icmp_reply_hop_limit"] = echoes.hop_limit
    found = [_plain(name, value) for name, value in plain.items()]
    return [*found, _phases(resolved, echoes), *_measured(echoes)]


async def _address(target: Target, deadline: float) -> str:
    try:
        async with asyncio.timeout_at(deadline):
            return await target.address()
    except TimeoutError:
        raise UnresolvedName(str(target), "the name was not resolved in time") from None


def _plain(name: str, value: float) -> Family:
    made = Family(name, "gauge", HELP[name])
    made.add(value)
    return made


def _phases(resolved: float, echoes: Echoes) -> Family:
    made = Family("probe_icmp_duration_seconds", "gauge", HELP["probe_icmp_duration_seconds"])
    mean = fmean(echoes.round_trips) if echoes.round_trips else 0.0
    for phase, seconds in (("resolve", resolved), ("rtt", mean), ("setup", echoes.setup)):
        made.add(seconds, {"phase": phase})
    return made


def _measured(echoes: Echoes) -> Iterator[Family]:
    """Yield the product's own families; a time that was not measured has no sample."""
    trips = echoes.round_trips
    found: dict[str, float | None] = {"chm_icmp_loss_ratio": echoes.loss}
    if trips:
        found["chm_icmp_rtt_min_seconds"] = min(trips)
        found["chm_icmp_rtt_avg_seconds"] = fmean(trips)
        found["chm_icmp_rtt_max_seconds"] = max(trips)
    found["chm_icmp_jitter_seconds"] = echoes.jitter
    found["chm_icmp_reply_hop_limit"] = echoes.hop_limit
    for name, value in found.items():
        if value is not None:
            made = family(name)
            made.add(value)
            yield made


async def collect(device: Device, deadline: float, telemetry: Telemetry) -> list[Family]:
    """Return the `chm_icmp_*` of a device, and how the collector went."""
    started, labels = time.perf_counter(), {"collector": COLLECTOR}
    found: list[Family] = []
    try:
        address = await _address(Target(device.address), deadline)
        found += _measured(await icmp.ping(address, Pace(), deadline))
    except ProtocolError as error:
        telemetry.probe_errors.labels(error.reason).inc()
        log.warning("collector failed", extra={"collector": COLLECTOR, "error": str(error)})
    report = {
        "chm_collector_success": int(bool(found)),
        "chm_collector_duration_seconds": time.perf_counter() - started,
        "chm_collector_samples": sum(len(made.samples) for made in found),
    }
    for name, value in report.items():
        made = family(name)
        made.add(value, labels)
        found.append(made)
    return found
