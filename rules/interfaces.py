"""Ports that went down, lose packets, or are full. Series keep their MIB names and labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template

from rules import flapping
from rules.options import Intent, duration, minutes
from rules.rule import Alert, Group, Record, Severity
from rules.thresholds import ThresholdAlert

# What is costly here is to join a series of every port: each join is with a few ports on its left,
# and what several rules ask of every port is recorded once.

# Ports that are switched on, and down (2).
DOWN = "max without (instance, job) ((ifOperStatus == 2) and (ifAdminStatus == 1))"

# When a port was lost: it is down, and was up within the last quarter of an hour. A port below it
# that fails makes it lowerLayerDown (7), which is left out: the one below has an alert. The time is
# carried forward for a day, so a port that was lost stays known and one that was never used is
# quiet, without reading a day of samples of every port. The hour of `last_over_time` bridges a
# restart of Prometheus. A device that was silent for longer than the quarter of an hour comes back
# with what SILENT remembers of it.
LOST = """\
(
  (last_over_time(interface:ifOperStatus:lost_timestamp_seconds[1h]) > time() - 86400)
  and
  interface:ifOperStatus:down
)
or
time() + 0 * (
  interface:ifOperStatus:down
  and ignoring (instance, job)
  (min_over_time(ifOperStatus[15m]) == 1)
)
or
time() + 0 * (
  interface:ifOperStatus:down
  and on (device, ifName, ifDescr)
  last_over_time(interface:ifOperStatus:silent_timestamp_seconds[15m])
)"""

# Since when a port is not told of that was up when its device fell silent, for a day.
SILENT = """\
(
  (last_over_time(interface:ifOperStatus:silent_timestamp_seconds[1h]) > time() - 86400)
  or
  time() + 0 * max without (instance, job) (
    (ifOperStatus offset 10m == 1)
    unless on (device)
    ifOperStatus
  )
)
unless on (device)
ifOperStatus
and on (device)
device:chm_inventory_device_info:current"""

# Ports that an operator wants up, switched on and not up, or gone from a device that tells of all
# else; the status, 0 where there is none. A port without ifName is known by its ifDescr.
WANTED_DOWN = """\
(
  max without (instance, job) (
    (ifOperStatus != 1)
    and on (device, ifName)
    (interface:chm_interface_monitored:current == 1)
    and
    (ifAdminStatus == 1)
  )
  * on (device, ifName) group_left (importance)
  (interface:chm_interface_monitored:current == 1)
)
or
(
  max without (instance, job) (
    (ifOperStatus{ifName=""} != 1) and (ifAdminStatus{ifName=""} == 1)
  )
  * on (device, ifName, ifDescr) group_left (importance)
  (interface:chm_interface_monitored:described == 1)
)
or
(
  0 * (
    (interface:chm_interface_monitored:current == 1)
    unless on (device, ifName) ifOperStatus
    unless on (device, ifName)
    label_replace(ifOperStatus{ifName=""}, "ifName", "$1", "ifDescr", "(.+)")
  )
  * on (device) group_left (site, role, vendor)
  device:chm_inventory_device_info:current
  and on (device)
  (min by (device) (chm_collector_success) == 1)
)"""

UTILIZATION = Template("""\
max without (instance, job) (
  8 * (rate(ifHC${Direction}Octets[$window]) or rate(if${Direction}Octets[$window]))
  / (1000000 * (ifHighSpeed > 0) or (ifSpeed > 0))
)""")

# Fewer than ten bad packets in the window prove nothing, and leave no series. Only of ports with
# more are all packets counted: these records keep the labels of the scrape to be joined with it.
BAD = Template("increase(if${Direction}${kind}[$window]) >= 10")

GOOD = Template("""\
(
  (increase(ifHC${Direction}UcastPkts[$window]) and $bad)
  or
  (increase(if${Direction}UcastPkts[$window]) and $bad)
)
+ ((increase(ifHC${Direction}MulticastPkts[$window]) and $bad) or 0 * $bad)
+ ((increase(ifHC${Direction}BroadcastPkts[$window]) and $bad) or 0 * $bad)""")

LOSS = Template("""\
max without (instance, job) (
  interface:if${Direction}${kind}:increase
  / (
    interface:if${Direction}${kind}:increase
    + interface:if${Direction}Pkts:increase
  )
)""")

# How full the fullest port of a device is.
SATURATION = "max by (device, site, role, vendor) (interface:utilization:ratio)"

CHANGES = Template("max without (instance, job) (changes(ifOperStatus[$range]) > 0)")
FLAPS = 6  # three times down and up again

# Ports to a device that is down, or flaps, as they told of it within the hour: what they show is no
# news. Devices announce themselves with or without their domain; `short` is without. It is a label
# of its own: a neighbour that was told of by both names within the hour would be one series twice.
NEIGHBOR_DOWN = """\
max by (device, ifName) (
  label_replace(
    (
      last_over_time(chm_neighbor_info[1h])
      and on (neighbor)
      label_replace(
        device:chm_device_up:flapping or (device:chm_device_up:min == 0),
        "neighbor", "$1", "device", "(.+)"
      )
    )
    or
    (
      label_replace(
        last_over_time(chm_neighbor_info[1h]),
        "short", "$1", "neighbor", "([^.]*[A-Za-z][^.]*)[.].*"
      )
      and on (short)
      label_replace(
        device:chm_device_up:flapping or (device:chm_device_up:min == 0),
        "short", "$1", "device", "(.+)"
      )
    ),
    "ifName", "$1", "interface", "(.+)"
  )
)"""

# A port about which an operator decided nothing, and one that should be up.
UNDECIDED = """
unless on (device, ifName)
interface:chm_interface_monitored:current
unless on (device, ifName, ifDescr)
interface:chm_interface_monitored:described"""
LOST_PORT = Template(f"interface:ifOperStatus:lost_timestamp_seconds$ports{UNDECIDED}")
# Its importance is the severity, and no label of the alert: that of a trap has none either.
WANTED_PORT = Template("max without (importance) (interface:chm_interface_monitored:down$wanted)")

# Alertmanager keeps the end of what it mutes to itself, so flapping mutes here.
PORT_DOWN = Template("""\
(
$down
)
and on (device)
device:chm_inventory_device_info:current
unless on (device, ifName, ifDescr)
interface:ifOperStatus:flapping
$neighbor on (device, ifName)
interface:chm_neighbor_info:down""")

# What flaps and is switched on.
RESTLESS = """\
interface:ifOperStatus:flapping
unless
max without (instance, job) (ifAdminStatus == 2)"""

# A port that was lowerLayerDown (7) follows the one below it, which has an alert; of one that
# should be up people are told in any case.
FOLLOWING = Template("max without (instance, job) (max_over_time(ifOperStatus[$window]) == 7)")
RESTLESS_PORT = Template(f"""\
interface:ifOperStatus:restless$ports
unless
interface:ifOperStatus:following{UNDECIDED}""")
WANTED_RESTLESS_PORT = Template("""\
interface:ifOperStatus:restless
and on (device, ifName)
(interface:chm_interface_monitored:current$wanted == 1)
or
interface:ifOperStatus:restless
and on (device, ifName, ifDescr)
(interface:chm_interface_monitored:described$wanted == 1)""")

PORT_FLAPPING = Template("""\
(
$restless
)
and on (device)
device:chm_inventory_device_info:current
$neighbor on (device, ifName)
interface:chm_neighbor_info:down""")

# What an operator decided not to be told of.
UNWANTED = """
unless on (device, ifName)
(interface:chm_interface_monitored:current == 0)
unless on (device, ifName, ifDescr)
(interface:chm_interface_monitored:described == 0)"""


@dataclass(frozen=True)
class Ports:
    """The ports of a severity: those that were lost, and those that are wanted, by matchers."""

    severity: Severity
    lost: str | None
    wanted: str
    neighbor: str = "unless"  # is down; `and` where the port leads to it

    @property
    def down(self) -> str:
        """The ports that are down."""
        lost = [] if self.lost is None else [LOST_PORT.substitute(ports=self.lost)]
        return "\nor\n".join([*lost, WANTED_PORT.substitute(wanted=self.wanted)])

    @property
    def restless(self) -> str:
        """Return the ports that flap, those that an operator decided about, too."""
        wanted = WANTED_RESTLESS_PORT.substitute(wanted=self.wanted)
        if self.lost is None:
            return wanted
        return RESTLESS_PORT.substitute(ports=self.lost) + "\nor\n" + wanted


# A port that somebody described, or wants up, warns; any other may be a desk in the evening. What
# leads to a device that is down has the alert of that device.
PORTS = (
    Ports("critical", None, '{importance="critical"}'),
    Ports("warning", '{ifAlias!=""}', '{importance="normal"}'),
    Ports("info", '{ifAlias=""}', '{importance="low"}'),
    Ports("none", "", "", "and"),
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
    yield Record("interface:ifOperStatus:down", DOWN)
    yield Record("interface:ifOperStatus:silent_timestamp_seconds", SILENT)
    yield Record("interface:ifOperStatus:lost_timestamp_seconds", LOST)
    yield Record("interface:chm_interface_monitored:down", WANTED_DOWN)
    for direction in ("In", "Out"):
        labels = {"direction": direction.lower()}
        expr = UTILIZATION.substitute(Direction=direction, window=window)
        yield Record("interface:utilization:ratio", expr, labels)
        yield from _losses(direction, window)
    yield Record("device:interface_saturation:ratio", SATURATION)
    yield Record("interface:chm_neighbor_info:down", NEIGHBOR_DOWN)
    yield from flapping.records("interface:ifOperStatus", CHANGES, FLAPS, options.flap_within)
    yield Record("interface:ifOperStatus:restless", RESTLESS)
    following = FOLLOWING.substitute(window=duration(options.flap_within))
    yield Record("interface:ifOperStatus:following", following)


def _losses(direction: str, window: str) -> Iterator[Record]:
    """Record what part of its packets a port damages, and drops, and what that is made of."""
    kinds = ("Errors", "Discards")
    bad = {kind: f"interface:if{direction}{kind}:increase" for kind in kinds}
    names = {"Direction": direction, "window": window, "bad": f"({' or '.join(bad.values())})"}
    for kind in kinds:
        yield Record(bad[kind], BAD.substitute(names, kind=kind))
    yield Record(f"interface:if{direction}Pkts:increase", GOOD.substitute(names))
    for kind in kinds:
        expr = LOSS.substitute(names, kind=kind)
        yield Record(f"interface:{kind.lower()}:ratio", expr, {"direction": direction.lower()})


def _down(options: Intent) -> Iterator[Alert]:
    for ports in PORTS:
        yield Alert(
            "InterfaceDown",
            PORT_DOWN.substitute(down=ports.down, neighbor=ports.neighbor),
            ports.severity,
            "symptom",
            f"{PORT} is down",
            f"{PORT} ({{{{ $labels.ifAlias }}}}) is switched on and not up, or is gone.",
            hold=options.confirm_for,
            keep=options.keep_for,
            flaps_within=options.flap_within,
        )


def _flapping(options: Intent) -> Iterator[Alert]:
    for ports in PORTS:
        yield Alert(
            "InterfaceFlapping",
            PORT_FLAPPING.substitute(restless=ports.restless, neighbor=ports.neighbor),
            ports.severity,
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
            but=UNWANTED,
        ).pair(options.settle_for)
    yield from ThresholdAlert(
        "InterfaceSaturated",
        "interface:utilization:ratio",
        "interface_utilization",
        f"{PORT} is full",
        f"{PORT} ({{{{ $labels.ifAlias }}}}) carries {share} of its speed "
        "({{ $labels.direction }}).",
        but=UNWANTED,
    ).pair(options.settle_for)
