"""Ports that went down, or go up and down. Series keep their MIB names and labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template

from rules import flapping, intent, traffic
from rules.options import Intent, duration, minutes
from rules.rule import Alert, Group, Record, Severity
from rules.traffic import PORT

# A rule reads every series of the names in it before it leaves one out, and a join reads all labels
# of both sides. So rules about ports read what the exporter says of few of them where they can,
# join with few on the left, and record once what several of them ask of every port.

# Ports that are switched on and not up, of which there may be many that nobody uses: those that any
# rule may tell of. Of a port without a name more is asked below.
WATCHED = """\
max without (instance, job) (
  chm_interface_down
  and on (device, ifName) (
    interface:ifOperStatus:changes_lately
    or
    last_over_time(interface:ifOperStatus:lost_timestamp_seconds[1h])
    or
    last_over_time(interface:ifOperStatus:silent_timestamp_seconds[15m])
    or
    interface:chm_interface_monitored:current
  )
  or
  chm_interface_down{ifName=""}
)"""

# What was decided about ports of devices with such ports, or with ports that flap.
CONCERNED = """\
interface:chm_interface_monitored:current
and on (device)
(interface:ifOperStatus:watched or interface:ifOperStatus:restless)"""

# When a port was lost: it is switched on, down (2), and was up within the last ten minutes, as it
# has changed more often than among the states of not being up. A port below it that fails makes it
# lowerLayerDown (7), which is left out: the one below has an alert. The time is carried forward for
# a day, so a port that was lost stays known and one that was never used is quiet, without reading a
# day of samples of every port. The hour of `last_over_time` bridges a restart of Prometheus. A
# device that was silent for longer comes back with what SILENT remembers of it.
LOST = Template("""\
(
  (
    (last_over_time(interface:ifOperStatus:lost_timestamp_seconds[1h]) > time() - 86400)
    or
    time() + 0 * (
      interface:ifOperStatus:changes_lately
      > ignoring (instance, job)
      changes(chm_interface_down[$range])
    )
  )
  and
  (interface:ifOperStatus:watched == 2)
)
or
time() + 0 * (
  (interface:ifOperStatus:watched == 2)
  and on (device, ifName, ifDescr)
  last_over_time(interface:ifOperStatus:silent_timestamp_seconds[15m])
)""")

# Since when a port is not told of that was up when its device fell silent, for a day.
SILENT = Template("""\
(
  (last_over_time(interface:ifOperStatus:silent_timestamp_seconds[1h]) > time() - 86400)
  or
  time() + 0 * max without (instance, job) (
    (ifOperStatus offset $third == 1)
    and on (device)
    (chm_interfaces offset $third unless on (device) chm_interfaces)
  )
)
unless on (device)
chm_interfaces
and on (device)
device:chm_inventory_device_info:current""")

# Ports that an operator wants up, switched on and not up, or gone; the status, 0 where there is
# none. A port without ifName is known by its ifDescr.
WANTED_DOWN = """\
(
  interface:ifOperStatus:watched
  * on (device, ifName) group_left (importance)
  (interface:chm_interface_monitored:concerned == 1)
  or
  interface:ifOperStatus:watched{ifName=""}
  * on (device, ifName, ifDescr) group_left (importance)
  (interface:chm_interface_monitored:described == 1)
  or
  interface:chm_interface_monitored:gone
)
unless on (device)
device:chm_inventory_device_info:missing"""

# Such ports of which a device does not tell that tells of all else. Those that are told of are
# looked up among the few, as it takes longer to remember all ports.
GONE = """\
0 * (
  (interface:chm_interface_monitored:current == 1)
  unless on (device, ifName) (
    ifOperStatus
    and on (device, ifName)
    interface:chm_interface_monitored:current
  )
  unless on (device, ifName)
  label_replace(ifOperStatus{ifName=""}, "ifName", "$1", "ifDescr", "(.+)")
)
* on (device) group_left (site, role, vendor)
device:chm_inventory_device_info:current
and on (device)
(chm_collectors_failed == 0)"""

# What is asked of every port, once; what else is asked of its state is asked of these few.
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
        device:chm_device_up:flapping or device:outage:down,
        "neighbor", "$1", "device", "(.+)"
      )
    )
    or
    (
      label_replace(
        last_over_time(chm_neighbor_info{neighbor=~"[^.]*[A-Za-z][^.]*[.].*"}[1h]),
        "short", "$1", "neighbor", "([^.]*)[.].*"
      )
      and on (short)
      label_replace(
        device:chm_device_up:flapping or device:outage:down,
        "short", "$1", "device", "(.+)"
      )
    ),
    "ifName", "$1", "interface", "(.+)"
  )
)"""

# Ports about which an operator decided nothing, of devices that are in the inventory; what is told
# of them is recorded for the alerts of all severities.
UNDECIDED = """
unless on (device, ifName)
interface:chm_interface_monitored:concerned
unless on (device, ifName, ifDescr)
interface:chm_interface_monitored:described
unless on (device)
device:chm_inventory_device_info:missing"""
LOST_UNDECIDED = f"interface:ifOperStatus:lost_timestamp_seconds{UNDECIDED}"
LOST_PORT = Template("interface:ifOperStatus:lost_undecided$ports")
# Its importance is the severity, and no label of the alert: that of a trap has none either.
WANTED_PORT = Template("max without (importance) (interface:chm_interface_monitored:down$wanted)")

# Alertmanager keeps the end of what it mutes to itself, so flapping mutes here.
PORT_DOWN = Template("""\
(
$down
)
unless on (device, ifName, ifDescr)
interface:ifOperStatus:flapping
$neighbor on (device, ifName)
interface:chm_neighbor_info:down""")

# What flaps and is switched on.
RESTLESS = """\
interface:ifOperStatus:flapping
unless ignoring (instance, job)
chm_interface_disabled
unless on (device)
device:chm_inventory_device_info:missing"""

# A port that was lowerLayerDown (7) follows the one below it, which has an alert; of one that
# should be up people are told in any case.
FOLLOWING = Template(
    "max without (instance, job) (max_over_time(chm_interface_down[$window]) == 7)"
)
RESTLESS_UNDECIDED = f"""\
interface:ifOperStatus:restless
unless
interface:ifOperStatus:following{UNDECIDED}"""
RESTLESS_PORT = Template("interface:ifOperStatus:restless_undecided$ports")
# One that should be up, with its importance.
RESTLESS_WANTED = """\
interface:ifOperStatus:restless
* on (device, ifName) group_left (importance)
(interface:chm_interface_monitored:concerned == 1)
or
interface:ifOperStatus:restless
* on (device, ifName, ifDescr) group_left (importance)
(interface:chm_interface_monitored:described == 1)"""
WANTED_RESTLESS_PORT = Template(
    "max without (importance) (interface:ifOperStatus:restless_wanted$wanted)"
)

PORT_FLAPPING = Template("""\
(
$restless
)
$neighbor on (device, ifName)
interface:chm_neighbor_info:down""")


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


def groups(options: Intent) -> tuple[Group, ...]:
    """Three groups: what is down, whenever ports were polled; traffic, and what lasts, seldom."""
    return (
        Group(
            "chm-interfaces",
            options.sample_interval,
            (*_records(options), *_down(options), *_flapping(options)),
        ),
        Group(
            "chm-interfaces-traffic",
            options.window_interval,
            tuple(traffic.rules(options)),
        ),
        Group("chm-interfaces-lasting", options.lasting_interval, tuple(_lasting(options))),
    )


def _window(options: Intent) -> flapping.Window:
    return flapping.Window(options.flap_within, options.scrape_interval)


def _records(options: Intent) -> Iterator[Record]:
    within = _window(options)
    yield from flapping.records("interface:ifOperStatus", CHANGES, FLAPS, within)
    yield Record("interface:ifOperStatus:restless", RESTLESS)
    yield Record("interface:ifOperStatus:watched", WATCHED)
    yield Record("interface:chm_interface_monitored:concerned", CONCERNED)
    yield intent.described("concerned", "described")
    yield Record("interface:ifOperStatus:restless_undecided", RESTLESS_UNDECIDED)
    yield Record("interface:ifOperStatus:restless_wanted", RESTLESS_WANTED)
    lost = LOST.substitute(range=duration(within.range))
    yield Record("interface:ifOperStatus:lost_timestamp_seconds", lost)
    yield Record("interface:ifOperStatus:lost_undecided", LOST_UNDECIDED)
    yield Record("interface:chm_interface_monitored:down", WANTED_DOWN)
    yield Record("interface:chm_neighbor_info:down", NEIGHBOR_DOWN)


def _lasting(options: Intent) -> Iterator[Record]:
    silent = SILENT.substitute(third=duration(_window(options).third))
    yield Record("interface:ifOperStatus:silent_timestamp_seconds", silent)
    yield Record("interface:chm_interface_monitored:gone", GONE)
    following = FOLLOWING.substitute(window=duration(options.flap_within))
    yield Record("interface:ifOperStatus:following", following)


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
