"""Ports that went down, lose packets, or are full. Series keep their MIB names and labels."""

from collections.abc import Iterator
from string import Template

from rules import flapping
from rules.options import Intent, duration, minutes
from rules.rule import Alert, Group, Record, Severity
from rules.thresholds import ThresholdAlert

# When a port was lost: admin up, oper down (2), and up within the last quarter of an hour. A port
# below it that fails makes it lowerLayerDown (7), which is left out: the one below has an alert.
# The time is carried forward for a day, so a port that was lost stays known and one that was never
# used is quiet, without reading a day of samples of every port. The hour of `last_over_time`
# bridges a restart of Prometheus.
LOST = """\
(
  (last_over_time(interface:ifOperStatus:lost_timestamp_seconds[1h]) > time() - 86400)
  and
  max without (instance, job) ((ifOperStatus == 2) and (ifAdminStatus == 1))
)
or
time() + 0 * (
  max without (instance, job) (min_over_time(ifOperStatus[15m]) == 1)
  and
  max without (instance, job) ((ifOperStatus == 2) and (ifAdminStatus == 1))
)"""

UTILIZATION = Template("""\
max without (instance, job) (
  8 * (rate(ifHC${Direction}Octets[$window]) or rate(if${Direction}Octets[$window]))
  / (1000000 * (ifHighSpeed > 0) or (ifSpeed > 0))
)""")

# Fewer than ten bad packets in the window prove nothing, and leave no series.
LOSS = Template("""\
max without (instance, job) (
  (increase(if${Direction}${kind}[$window]) >= 10)
  / (
    increase(if${Direction}${kind}[$window])
    + (increase(ifHC${Direction}UcastPkts[$window]) or increase(if${Direction}UcastPkts[$window]))
    + (increase(ifHC${Direction}MulticastPkts[$window]) or 0 * if${Direction}${kind})
    + (increase(ifHC${Direction}BroadcastPkts[$window]) or 0 * if${Direction}${kind})
  )
)""")

# How full the fullest port of a device is.
SATURATION = "max by (device, site, role, vendor) (interface:utilization:ratio)"

CHANGES = Template("max without (instance, job) (changes(ifOperStatus[$range]))")
FLAPS = 6  # three times down and up again

# Ports to a device that is down, or flaps, as they told of it within the hour: what they show is no
# news. Devices announce themselves with or without their domain.
NEIGHBOR_DOWN = """\
max by (device, ifName) (
  label_replace(
    last_over_time(chm_neighbor_info[1h])
    or
    label_replace(
      last_over_time(chm_neighbor_info[1h]),
      "neighbor", "$1", "neighbor", "([^.]*[A-Za-z][^.]*)[.].*"
    ),
    "ifName", "$1", "interface", "(.+)"
  )
  and on (neighbor)
  label_replace(
    device:chm_device_up:flapping or (device:chm_device_up:min == 0),
    "neighbor", "$1", "device", "(.+)"
  )
)"""

# Alertmanager keeps the end of what it mutes to itself, so flapping mutes here.
PORT_DOWN = Template("""\
interface:ifOperStatus:lost_timestamp_seconds$ports
and on (device)
device:chm_inventory_device_info:current
unless
interface:ifOperStatus:flapping
$neighbor on (device, ifName)
interface:chm_neighbor_info:down""")

# A port that was lowerLayerDown (7) follows the one below it, which has an alert.
PORT_FLAPPING = Template("""\
interface:ifOperStatus:flapping$ports
unless
max without (instance, job) (max_over_time(ifOperStatus$ports[$window]) == 7)
unless
max without (instance, job) (ifAdminStatus == 2)
and on (device)
device:chm_inventory_device_info:current
$neighbor on (device, ifName)
interface:chm_neighbor_info:down""")

# A port that somebody described warns; any other may be a desk in the evening. What leads to a
# device that is down has the alert of that device.
PORTS: tuple[tuple[str, str, Severity], ...] = (
    ('{ifAlias!=""}', "unless", "warning"),
    ('{ifAlias=""}', "unless", "info"),
    ("", "and", "none"),
)

PORT = "{{ $labels.device }} port {{ $labels.ifName }}"


def groups(options: Intent) -> tuple[Group, ...]:
    """One group, run as often as ports are polled."""
    rules: tuple[Record | Alert, ...] = (
        *_records(options),
        *_down(options),
        *_flapping(options),
        *_thresholds(options),
    )
    return (Group("chm-interfaces", options.sample_interval, rules),)


def _records(options: Intent) -> Iterator[Record]:
    window = duration(options.rate_window)
    yield Record("interface:ifOperStatus:lost_timestamp_seconds", LOST)
    for direction in ("In", "Out"):
        labels = {"direction": direction.lower()}
        expr = UTILIZATION.substitute(Direction=direction, window=window)
        yield Record("interface:utilization:ratio", expr, labels)
        for kind in ("Errors", "Discards"):
            expr = LOSS.substitute(Direction=direction, kind=kind, window=window)
            yield Record(f"interface:{kind.lower()}:ratio", expr, labels)
    yield Record("device:interface_saturation:ratio", SATURATION)
    yield Record("interface:chm_neighbor_info:down", NEIGHBOR_DOWN)
    yield from flapping.records("interface:ifOperStatus", CHANGES, FLAPS, options.flap_within)


def _down(options: Intent) -> Iterator[Alert]:
    for ports, neighbor, severity in PORTS:
        yield Alert(
            "InterfaceDown",
            PORT_DOWN.substitute(ports=ports, neighbor=neighbor),
            severity,
            "symptom",
            f"{PORT} is down",
            f"{PORT} ({{{{ $labels.ifAlias }}}}) is switched on but has lost its link.",
            hold=options.confirm_for,
            keep=options.keep_for,
        )


def _flapping(options: Intent) -> Iterator[Alert]:
    window = duration(options.flap_within)
    for ports, neighbor, severity in PORTS:
        yield Alert(
            "InterfaceFlapping",
            PORT_FLAPPING.substitute(ports=ports, neighbor=neighbor, window=window),
            severity,
            "symptom",
            f"{PORT} goes down and comes back all the time",
            f"{PORT} ({{{{ $labels.ifAlias }}}}) changed its state {{{{ $value }}}} times within "
            f"{minutes(options.flap_within)}. Until it settles this is told instead of each "
            "InterfaceDown.",
            hold=options.confirm_for,
        )


def _thresholds(options: Intent) -> Iterator[Alert]:
    share = "{{ $value | humanizePercentage }}"
    for name, metric, words in (
        ("InterfaceErrors", "errors", "damaged packets"),
        ("InterfaceDiscards", "discards", "dropped packets"),
    ):
        yield from ThresholdAlert(
            name,
            f"interface:{metric}:ratio",
            f"interface_{metric}",
            f"{PORT} has many {words}",
            f"{share} of the packets {PORT} handles ({{{{ $labels.direction }}}}) are {words}.",
        ).pair(options.settle_for)
    yield from ThresholdAlert(
        "InterfaceSaturated",
        "interface:utilization:ratio",
        "interface_utilization",
        f"{PORT} is full",
        f"{PORT} ({{{{ $labels.ifAlias }}}}) carries {share} of its speed "
        "({{ $labels.direction }}).",
    ).pair(options.settle_for)
