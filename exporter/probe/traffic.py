"""What a module allows a session, and what a session did, in the words of the self metrics."""

from exporter.profiles.schema import Module
from exporter.protocols.snmp import Limits, Traffic
from exporter.telemetry import Telemetry


def limits_of(module: Module, deadline: float) -> Limits:
    """Return how patient and how greedy a module is."""
    return Limits(
        deadline,
        module.timeout,
        module.retries,
        module.max_repetitions,
        module.allow_nonincreasing_oids,
        module.known_repetitions,
    )


def counted(telemetry: Telemetry, traffic: Traffic) -> None:
    """Add what a session did to the self metrics."""
    telemetry.packet_seconds.observe_all(traffic.waits)
    for counter, amount in (
        (telemetry.packets, traffic.packets),
        (telemetry.packet_retries, traffic.retries),
        (telemetry.refusals, traffic.refusals),
        (telemetry.replay_hits, traffic.replayed),
        (telemetry.replay_misses, traffic.decoded),
        (telemetry.unexpected, traffic.unexpected),
    ):
        if amount:
            counter.inc(amount)
