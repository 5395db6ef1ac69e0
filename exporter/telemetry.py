"""What the exporter says about itself on `/metrics`; snmp_exporter's names where it has them."""

from bisect import bisect_left
from collections import Counter as Counted
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PACKET_BUCKETS = tuple(0.0001 * 2**n for n in range(15))


class Durations(Histogram):
    """A histogram that takes many observations at once; packets are counted by the million."""

    def observe_all(self, seconds: Sequence[float]) -> None:
        """Observe every one of them."""
        self._sum.inc(sum(seconds))
        places = Counted(map(partial(bisect_left, self._upper_bounds), seconds))
        for place, count in places.items():
            self._buckets[place].inc(count)


class Telemetry:
    """The self metrics, registered in the registry they are made with."""

    def __init__(
        self, registry: CollectorRegistry, gather: Callable[[], CollectorRegistry] | None = None
    ) -> None:
        self.registry = registry
        self.gather = gather
        self._describe_snmp()
        self._describe_probes()
        self._describe_service()
        self._describe_state()
        self._describe_traps()

    def exposed(self) -> CollectorRegistry:
        """Return the registry to show: this process's, or where it has siblings that of all."""
        return self.registry if self.gather is None else self.gather()

    def _describe_snmp(self) -> None:
        registry = self.registry
        self.request_errors = Counter(
            "snmp_request_errors", "Errors in requests to the exporter.", registry=registry
        )
        self.collection_seconds = Histogram(
            "snmp_collection_duration_seconds",
            "Seconds it took to collect one module.",
            ["module"],
            registry=registry,
        )
        self.packet_seconds = Durations(
            "snmp_packet_duration_seconds",
            "Seconds from a request to its response.",
            buckets=PACKET_BUCKETS,
            registry=registry,
        )
        self.packets = Counter("snmp_packets", "Requests sent.", registry=registry)
        self.packet_retries = Counter(
            "snmp_packet_retries", "Requests sent again.", registry=registry
        )
        self.unexpected = Counter(
            "snmp_unexpected_pdu_type",
            "Answers with a PDU that is no response.",
            registry=registry,
        )
        self.in_flight = Gauge(
            "snmp_request_in_flight",
            "Scrapes being served.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        build = Gauge(
            "snmp_exporter_build_info",
            "Always 1.",
            ["version"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        build.labels(version("catalyst-health-monitor")).set(1)

    def _describe_probes(self) -> None:
        self.refusals = Counter(
            "chm_exporter_agent_errors",
            "Responses with an error-status, which ended a request early.",
            registry=self.registry,
        )
        self.duplicates = Counter(
            "chm_exporter_duplicate_series",
            "Samples left out because their series was there already.",
            registry=self.registry,
        )
        self.probe_errors = Counter(
            "chm_exporter_probe_errors",
            "Collectors that failed, by reason.",
            ["reason"],
            registry=self.registry,
        )

        self.replay_hits = Counter(
            "chm_exporter_replay_hits",
            "Pages of walks that were read as the one before, without decoding.",
            registry=self.registry,
        )
        self.replay_misses = Counter(
            "chm_exporter_replay_misses",
            "Pages of walks that were decoded, as they are new or look otherwise than before.",
            registry=self.registry,
        )

    def _describe_service(self) -> None:
        registry = self.registry
        self.rejected = Counter(
            "chm_exporter_requests_rejected",
            "Scrapes refused with 503, as too many were under way.",
            registry=registry,
        )
        self.merged = Counter(
            "chm_exporter_requests_merged",
            "Scrapes served by the walk of an identical one.",
            registry=registry,
        )
        self.hung_up = Counter(
            "chm_exporter_requests_cancelled",
            "Scrapes whose client went away before the answer.",
            registry=registry,
        )
        self.left_alone = Counter(
            "chm_exporter_circuit_breaker_rejections",
            "Scrapes answered without asking a device that was silent lately.",
            registry=registry,
        )
        self.circuits = Gauge(
            "chm_exporter_circuit_breakers",
            "Devices that are not asked for now (open), or just tried again (half_open).",
            ["state"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        for state in ("open", "half_open"):
            self.circuits.labels(state).set(0)
        self.tasks = Gauge(
            "chm_exporter_tasks",
            "Tasks of the event loop; many more than scrapes under way would be a leak.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.replay_bytes = Gauge(
            "chm_exporter_replay_bytes",
            "Memory in which walks are remembered.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.reduced = Gauge(
            "chm_exporter_devices_reduced_repetitions",
            "Devices asked for fewer values at once than their modules say, as they bear no more.",
            registry=registry,
            multiprocess_mode="livesum",
        )

    def _describe_traps(self) -> None:
        registry = self.registry
        self.traps_received = Counter(
            "chm_trap_received",
            "Traps and informs taken, by the name a table gives them; `other` has none.",
            ["trap"],
            registry=registry,
        )
        self.traps_dropped = Counter(
            "chm_trap_dropped",
            "Traps and informs that were not taken or got lost on their way, by reason.",
            ["reason"],
            registry=registry,
        )
        self.traps_unconfirmed = Counter(
            "chm_trap_unconfirmed",
            "Traps without an alert, as the device did not confirm what they say.",
            registry=registry,
        )
        self.traps_missed = Counter(
            "chm_trap_missed",
            "Alerts of traps that did not come: the device was asked for more of a burst.",
            registry=registry,
        )
        self.traps_of_silent_neighbors = Counter(
            "chm_trap_neighbor_silent",
            "Traps without an alert, as the device at the far end of the port is silent itself.",
            registry=registry,
        )
        self.trap_alerts = Counter(
            "chm_trap_alerts", "Alerts of traps that an Alertmanager took.", registry=registry
        )
        self.trap_alerts_failed = Counter(
            "chm_trap_alert_failures",
            "Times that an Alertmanager could not be told of alerts of traps.",
            registry=registry,
        )

    def _describe_state(self) -> None:
        registry = self.registry
        self.snapshot_devices = Gauge(
            "chm_exporter_snapshot_devices",
            "Devices in the snapshot.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.snapshot_confirmed = Gauge(
            "chm_exporter_snapshot_confirmed_timestamp_seconds",
            "When the control plane last confirmed the snapshot in use; 0 if not since the start.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.snapshot_failures = Counter(
            "chm_exporter_snapshot_failures",
            "Snapshots that could not be had or used, by reason.",
            ["reason"],
            registry=registry,
        )
        self.certificate_expiry = Gauge(
            "chm_exporter_certificate_expiry_timestamp_seconds",
            "When the first of the certificates that it shows expires; 0 without TLS.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.reload_successful = Gauge(
            "chm_exporter_config_last_reload_successful",
            "Whether the last load of the configuration succeeded: 1 or 0.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.reloaded = Gauge(
            "chm_exporter_config_last_reload_success_timestamp_seconds",
            "When the configuration in use was loaded.",
            registry=registry,
            multiprocess_mode="livemin",
        )
