"""Which devices are down, and which are only behind one that is."""

from string import Template

from rules import flapping
from rules.options import Intent, minutes
from rules.rule import Alert, Group, Record

# When a device was seen to be down. Without samples (its exporter is down) it stays as it was seen
# last, for an hour: silence neither ends an outage nor begins one.
SEEN_DOWN = """\
time() + 0 * min by (device) (chm_device_up == 0)
or
(
  device:chm_device_up:down_timestamp_seconds > time() - 3600
  unless on (device) chm_device_up
)"""

# The labels are those of the inventory; a device that left it has no state. These few are what the
# next rules read, each time, and not all devices and all ways.
DOWN = """\
0 * device:chm_device_up:down_timestamp_seconds
* on (device) group_right ()
device:chm_inventory_device_info:current"""
WAYS = """\
device:chm_topology_parent:current == 1
and on (device)
device:outage:down"""

# There are ways to it, and none leads through a device that is not down.
UNREACHABLE = """\
device:outage:down
and on (device)
device:outage:ways
unless on (device) (
  device:outage:ways
  unless on (parent)
  label_replace(device:outage:down, "parent", "$1", "device", "(.+)")
)"""

CAUSE = """\
device:outage:down
unless on (device)
device:outage:unreachable"""

CHANGES = Template("max without (instance, job) (changes(chm_device_up[$range]) > 0)")
FLAPS = 6  # three times down and up again

# What is behind a device that flaps goes up and down with it.
FLAPPING_WAYS = """\
device:chm_topology_parent:current == 1
and on (device)
device:chm_device_up:flapping"""

# The labels are those of the inventory, whatever site the device was of when it began.
FLAPPING = """\
max by (device) (device:chm_device_up:flapping)
* on (device) group_right ()
device:chm_inventory_device_info:current
unless on (device) (
  device:chm_device_up:flapping_ways
  unless on (device) (
    device:chm_device_up:flapping_ways
    unless on (parent)
    label_replace(
      device:chm_device_up:flapping or device:outage:down,
      "parent", "$1", "device", "(.+)"
    )
  )
)"""

# Alertmanager keeps the end of what it mutes to itself, so flapping mutes here: an outage that was
# told before is told to be over.
TOLD = """\
device:outage:cause
unless on (device)
device:chm_device_up:flapping"""

# How many steps an unreachable device is below a cause. Each evaluation reads the depth of the
# one before, so the answer walks down one level at a time; in a ring without a cause the number
# only grows, and ends at the limit.
DEPTH = """\
(device:outage:cause + 1)
or
(
  device:outage:unreachable
  + on (device) group_left ()
  (
    1 + min by (device) (
      device:outage:ways
      * on (parent) group_left ()
      label_replace(device:outage:depth, "parent", "$1", "device", "(.+)")
    )
  )
) < 64"""

OUTAGE_WITHOUT_ROOT = """\
count by (site) (
  device:outage:unreachable
  unless on (device)
  device:outage:depth
)"""

# While half of all scrapes fail or a device's exporter is down, one stack alert says so instead.
UNKNOWN = """\
(
  device:chm_inventory_device_info:current
  unless on (device) chm_device_up
)
and on () (job:up:avg > 0.5)
unless on (device) (
  (up{job="chm-devices"} == 0)
  and on () (min(up{job="chm-exporter"}) == 0)
)"""

# sysUpTime wraps after 497 days (2^32 hundredths of a second): a drop from there is no reboot.
REBOOTED = """\
min without (instance, job) (
  (chm_uptime_seconds < 600)
  < (max_over_time(chm_uptime_seconds[1h]) <= 42940000)
)
unless on (device)
device:chm_inventory_device_info:missing"""


def groups(options: Intent) -> tuple[Group, ...]:
    """Two groups: what is down and why, at every evaluation; and the rest, when devices were asked.

    Each rule reads what the ones above it have just recorded.
    """
    within = flapping.Window(options.flap_within, options.scrape_interval)
    flaps = flapping.records("device:chm_device_up", CHANGES, FLAPS, within)
    ways = Record("device:chm_device_up:flapping_ways", FLAPPING_WAYS)
    return (
        Group("chm-availability", options.evaluation_interval, (*_records(), *_outages(options))),
        Group(
            "chm-availability-polled", options.sample_interval, (*flaps, ways, *_polled(options))
        ),
    )


def _records() -> tuple[Record, ...]:
    return (
        Record("device:chm_device_up:down_timestamp_seconds", SEEN_DOWN),
        Record("device:outage:down", DOWN),
        Record("device:outage:ways", WAYS),
        Record("device:outage:unreachable", UNREACHABLE),
        Record("device:outage:cause", CAUSE),
        Record("device:outage:depth", DEPTH),
    )


def _outages(options: Intent) -> tuple[Alert, ...]:
    return (
        Alert(
            "DeviceDown",
            TOLD,
            "critical",
            "cause",
            "{{ $labels.device }} is down",
            "{{ $labels.device }} ({{ $labels.role }}, site {{ $labels.site }}) does not answer, "
            "and there is a way to it that works.",
            hold=options.confirm_for,
            keep=options.keep_for,
            flaps_within=options.flap_within,
            of_inventory=True,
        ),
        Alert(
            "DeviceUnreachable",
            "device:outage:unreachable",
            "none",
            "symptom",
            "{{ $labels.device }} is behind a device that is down",
            "Every way to {{ $labels.device }} (site {{ $labels.site }}) leads through a device "
            "that is down. The alert of that device tells people.",
            hold=options.confirm_for,
            of_inventory=True,
        ),
        Alert(
            "OutageWithoutRoot",
            OUTAGE_WITHOUT_ROOT,
            "critical",
            "cause",
            "Devices at {{ $labels.site }} are unreachable, and none is the cause",
            "{{ $value }} devices of site {{ $labels.site }} count as behind a device that is "
            "down, but no DeviceDown stands above them: the topology has a ring or is out of date.",
            hold=max(options.settle_for, 2 * options.confirm_for, 20 * options.evaluation_interval),
            board="chm-fleet",
        ),
    )


def _polled(options: Intent) -> tuple[Alert, ...]:
    return (
        Alert(
            "DeviceFlapping",
            FLAPPING,
            "critical",
            "cause",
            "{{ $labels.device }} goes down and comes back all the time",
            "{{ $labels.device }} ({{ $labels.role }}, site {{ $labels.site }}) went down or came "
            f"back {{{{ $value }}}} times within {minutes(options.flap_within)}. Until it settles "
            "this is told instead of each DeviceDown.",
            hold=options.confirm_for,
            of_inventory=True,
        ),
        Alert(
            "DeviceUnknown",
            UNKNOWN,
            "warning",
            "cause",
            "Nothing is known about {{ $labels.device }}",
            "{{ $labels.device }} (site {{ $labels.site }}) should be monitored, but Prometheus "
            "has no sample that says whether it is up.",
            hold=options.settle_for,
            of_inventory=True,
        ),
        Alert(
            "DeviceRebooted",
            REBOOTED,
            "info",
            "symptom",
            "{{ $labels.device }} has restarted",
            "{{ $labels.device }} (site {{ $labels.site }}) has been running for "
            "{{ $value | humanizeDuration }}.",
        ),
    )
