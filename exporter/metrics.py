"""The vocabulary: what a family of samples is, and the catalogue of every `chm_*` family.

`python -m exporter.metrics > docs/metrics.md` writes the catalogue down.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["gauge", "counter", "untyped"]
Number = int | float

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(slots=True)
class Family:
    """Samples of one name: the i-th rendered label block belongs to the i-th number.

    `distinct` says that no block occurs twice, so that nobody has to look.
    """

    name: str
    kind: Kind
    help: str
    blocks: list[str] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    distinct: bool = False

    @property
    def samples(self) -> list[tuple[str, Number]]:
        """Return the pairs of label block and number."""
        return list(zip(self.blocks, self.numbers, strict=True))

    def add(self, value: Number, labels: Mapping[str, str] | None = None) -> None:
        """Add one sample."""
        self.blocks.append(label_block(labels or {}))
        self.numbers.append(value)


def escaped(texts: Sequence[str]) -> Sequence[str]:
    """Return values of labels as the text format demands them."""
    # Few texts hold anything to escape, and looking at all is cheaper than translating each.
    whole = "".join(texts)
    if "\\" in whole or '"' in whole or "\n" in whole:
        return [text.translate(_ESCAPES) for text in texts]
    return texts


def label_pair(name: str, value: str) -> str:
    """Return `name="value"`, escaped as the text format demands."""
    return f'{name}="{escaped((value,))[0]}"'


def label_block(labels: Mapping[str, str]) -> str:
    """Return `{a="b",c="d"}` in the order of the names, or nothing without labels."""
    if not labels:
        return ""
    return "{" + ",".join(label_pair(name, labels[name]) for name in sorted(labels)) + "}"


@dataclass(frozen=True, slots=True)
class Description:
    """What one family of the catalogue means; units are the suffix of its name."""

    kind: Kind
    labels: tuple[str, ...]
    help: str


def _gauge(text: str, *labels: str) -> Description:
    return Description("gauge", labels, text)


def _counter(text: str, *labels: str) -> Description:
    return Description("counter", labels, text)


PORT = ("ifAlias", "ifDescr", "ifIndex", "ifName")  # as IF-MIB labels its columns

CATALOGUE: dict[str, Description] = {
    "chm_device_up": _gauge("Whether the device answered: 1 or 0."),
    "chm_device_info": _gauge(
        "What the device is; always 1. A label is empty where the device does not tell; `sys_name`"
        " is what it calls itself, `profile` the one that it is asked by.",
        "vendor",
        "model",
        "os_version",
        "serial",
        "sys_name",
        "profile",
    ),
    "chm_uptime_seconds": _gauge("Seconds since the network management of the device started."),
    "chm_collector_success": _gauge(
        "Whether the collector got an answer to all it asked for: 1 or 0. A device that has no such"
        " thing says so: that is a 1, with 0 samples.",
        "collector",
    ),
    "chm_collectors_failed": _gauge(
        "How many collectors got no answer to some of what they asked for; 0 where all is told."
    ),
    "chm_collector_duration_seconds": _gauge("Seconds the collector took.", "collector"),
    "chm_collector_samples": _gauge(
        "Samples the collector yielded; 0 where the device has nothing of its kind, or where the"
        " collector failed.",
        "collector",
    ),
    "chm_interfaces": _gauge("How many ports the device tells the state of."),
    "chm_interface_down": _gauge(
        "The `ifOperStatus` of a port that is switched on and not up; of others there is none.",
        *PORT,
    ),
    "chm_interface_disabled": _gauge("A port that is switched off; always 1.", *PORT),
    "chm_interface_busy_seconds_total": _counter(
        "Seconds for which a port would have been busy at its full speed (bit/s), so that its rate"
        " is the utilization; a port without a link has none.",
        "direction",
        *PORT,
        "speed",
    ),
    "chm_interface_errors_total": _counter(
        "Packets that a port damaged or got damaged; none where it is 0, or without a link.",
        "direction",
        *PORT,
    ),
    "chm_interface_discards_total": _counter(
        "Packets that a port dropped; none where it is 0, or without a link.", "direction", *PORT
    ),
    "chm_interface_packets_total": _counter(
        "All other packets of a port that has errors or discards.", "direction", *PORT
    ),
    "chm_cpu_utilization_ratio": _gauge("How busy a processor is, 0 to 1.", "cpu"),
    "chm_memory_used_bytes": _gauge("Memory in use, without buffers and caches.", "pool"),
    "chm_memory_size_bytes": _gauge("Memory there is.", "pool"),
    "chm_memory_utilization_ratio": _gauge(
        "Memory in use, 0 to 1, where the device tells no bytes.", "pool"
    ),
    "chm_temperature_celsius": _gauge("What a temperature sensor reads.", "sensor"),
    "chm_temperature_limit_celsius": _gauge(
        "A limit the device has for a temperature sensor.", "sensor", "limit"
    ),
    "chm_humidity_ratio": _gauge("What a sensor of relative humidity reads, 0 to 1.", "sensor"),
    "chm_fan_up": _gauge("Whether a fan that is present works: 1 or 0.", "fan"),
    "chm_fan_speed_rpm": _gauge("Revolutions of a fan per minute.", "fan"),
    "chm_fan_speed_ratio": _gauge("Speed of a fan as a share of its highest, 0 to 1.", "fan"),
    "chm_fan_speed_limit_rpm": _gauge("A limit the device has for a fan.", "fan", "limit"),
    "chm_power_supply_up": _gauge(
        "Whether a power supply that is present delivers power: 1 or 0.", "psu"
    ),
    "chm_module_up": _gauge(
        "Whether a module or line card that is present works: 1 or 0.", "module"
    ),
    "chm_stack_member_up": _gauge("Whether a member of a stack works: 1 or 0.", "member"),
    "chm_stack_port_up": _gauge(
        "Whether a port between members of a stack has a link: 1 or 0.", "port"
    ),
    "chm_stack_ring_up": _gauge(
        "Whether the cables of a stack form a closed ring, of which one can break: 1 or 0."
    ),
    "chm_component_degraded": _gauge(
        "Whether a part works, but not well, by the word of the device: 1 or 0. `kind` is the label"
        " under which the part is told to be up: `fan`, `psu`, `module`, `member`, `sensor`.",
        "kind",
        "component",
    ),
    "chm_alarm_active": _gauge("Whether an alarm of the device is raised: 1 or 0.", "alarm"),
    "chm_sensor_ok": _gauge(
        "Whether a reading is good by the word of the device: 1 or 0.", "sensor"
    ),
    "chm_fault": _gauge(
        "What is broken by the word of the device: the value of `metric`, with its other labels,"
        " where that says so; of what works there is none.",
        "metric",
        *("fan", "psu", "module", "member", "sensor", "kind", "component", "alarm"),
    ),
    "chm_sensor_volts": _gauge("What a voltage sensor reads.", "sensor"),
    "chm_sensor_amperes": _gauge("What a current sensor reads.", "sensor"),
    "chm_sensor_watts": _gauge("What a power sensor reads.", "sensor"),
    "chm_sensor_hertz": _gauge("What a frequency sensor reads.", "sensor"),
    "chm_sensor_dbm": _gauge("Optical power in decibels over one milliwatt.", "sensor"),
    "chm_sensor_limit_volts": _gauge("A limit for a voltage sensor.", "sensor", "limit"),
    "chm_sensor_limit_amperes": _gauge("A limit for a current sensor.", "sensor", "limit"),
    "chm_sensor_limit_watts": _gauge("A limit for a power sensor.", "sensor", "limit"),
    "chm_sensor_limit_dbm": _gauge("A limit for an optical power.", "sensor", "limit"),
    "chm_sensor_beyond_limit": _gauge(
        "What a sensor reads that is beyond a limit of its own; of others there is none.",
        "sensor",
        "unit",
        "limit",
    ),
    "chm_storage_used_bytes": _gauge("Space in use of a disk or file system.", "storage"),
    "chm_storage_size_bytes": _gauge("Space there is of a disk or file system.", "storage"),
    "chm_load_average": _gauge("Processes that run or wait to, on average.", "window"),
    "chm_poe_budget_watts": _gauge("Power there is for powered devices.", "pse"),
    "chm_poe_used_watts": _gauge("Power that powered devices draw.", "pse"),
    "chm_bgp_session_up": _gauge(
        "Whether a BGP session is established: 1 or 0.", "peer", "remote_as"
    ),
    "chm_bgp_session_enabled": _gauge(
        "Whether a BGP session is meant to be up: 1 or 0.", "peer", "remote_as"
    ),
    "chm_bgp_session_age_seconds": _gauge(
        "Seconds since the session was established or, while it is down, lost.", "peer", "remote_as"
    ),
    "chm_bgp_session_transitions_total": _counter(
        "Times the session was established.", "peer", "remote_as"
    ),
    "chm_bgp_prefixes_accepted": _gauge(
        "Prefixes taken from the peer, by address family.", "peer", "remote_as", "family"
    ),
    "chm_ospf_neighbor_up": _gauge(
        "Whether an OSPF adjacency is as it should be, full or two-way: 1 or 0.",
        "neighbor",
        "router_id",
    ),
    "chm_ospf_neighbor_transitions_total": _counter(
        "Times the adjacency changed its state or erred.", "neighbor", "router_id"
    ),
    "chm_neighbor_info": _gauge(
        "A neighbour that announces itself by LLDP or CDP; always 1.",
        "interface",
        "protocol",
        "neighbor",
        "neighbor_interface",
    ),
    "chm_icmp_loss_ratio": _gauge("Echo requests without an answer, 0 to 1."),
    "chm_icmp_rtt_min_seconds": _gauge("Shortest round trip of the echoes of this scrape."),
    "chm_icmp_rtt_avg_seconds": _gauge("Mean round trip of the echoes of this scrape."),
    "chm_icmp_rtt_max_seconds": _gauge("Longest round trip of the echoes of this scrape."),
    "chm_icmp_jitter_seconds": _gauge("Mean difference between successive round trips."),
    "chm_icmp_reply_hop_limit": _gauge("Hop limit or time to live left in an answer."),
}


def family(name: str) -> Family:
    """Return an empty family of the catalogue."""
    description = CATALOGUE[name]
    return Family(name, description.kind, description.help)


def markdown() -> str:
    """Return the catalogue as the page docs/metrics.md."""
    rows = [
        f"| `{name}` | {entry.kind} | {' '.join(f'`{x}`' for x in entry.labels)} | {entry.help} |"
        for name, entry in CATALOGUE.items()
    ]
    return "\n".join([_PREFACE, *rows, ""])


_PREFACE = """\
# Metrics

Every `chm_*` family of `GET /probe`, generated from `exporter/metrics.py`; interfaces keep the
names of IF-MIB, and `chm_interface_*` are what rules ask of them. A value the device does not tell
has no sample: missing is never 0. Prometheus adds the labels of the target (`device`, `site`,
`role`, `vendor`), so no family carries `device`. `limit` is one of `low_critical`, `low_warning`,
`high_warning`, `high_critical`.

| family | type | labels | meaning |
|---|---|---|---|"""


if __name__ == "__main__":
    sys.stdout.write(markdown())
