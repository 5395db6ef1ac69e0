"""Recorded intent: what the control plane wants, kept for an hour while it is down.

While `up{job="chm-intent"}` is 1 the recorded series are what was scraped last, so a device that
was removed is gone at the next evaluation. While it is not, each series carries its own last value
forward. (`last_over_time` over the scraped series would bring back devices that were removed
within its range, and join a moved device twice.)
"""

from string import Template

from rules.options import Intent, duration
from rules.rule import Group, Record

CURRENT = Template("""\
max by ($labels) ($metric)
or
(
  $recorded
  unless on () (up{job="chm-intent"} == 1)
  and on () (max_over_time(up{job="chm-intent"}[1h]) == 1)
)""")

# Devices that are asked, or were within the longest window that a rule reads, and should not be: of
# these few no rule tells, where it would read all of the inventory to leave them out.
MISSING = Template("""\
group by (device) (last_over_time(up{job="chm-devices"}[$window]))
unless on (device)
device:chm_inventory_device_info:current""")

# Most devices have the same thresholds, which have no series of their own.
LOWEST = """\
min by (metric) (
  metric:chm_threshold_common:current
  or
  device:chm_threshold:current
)"""

# A port without ifName is known by its ifDescr: the same as a series that such a port matches.
DESCRIBED = Template("""\
max by (device, ifDescr, importance) (
  label_replace(interface:chm_interface_monitored:$which, "ifDescr", "$$1", "ifName", "(.+)")
)""")

INVENTORY = "device:chm_inventory_device_info:current"
SITE_TEAM = "site:chm_site_team:current"
PARENT = "device:chm_topology_parent:current"
MAINTENANCE = "device:chm_maintenance_active:current"
THRESHOLD = "device:chm_threshold:current"
COMMON = "metric:chm_threshold_common:current"
INTERFACE = "interface:chm_interface_monitored:current"


def groups(options: Intent) -> tuple[Group, ...]:
    """Two groups: thresholds, which seldom change, and all else."""
    missing = MISSING.substitute(window=duration(options.flap_within))
    return (
        Group(
            "chm-intent",
            options.sample_interval,
            (
                current("chm_inventory_device_info", "device, site, role, vendor, team", INVENTORY),
                Record("device:chm_inventory_device_info:missing", missing),
                current("chm_topology_parent", "device, parent", PARENT),
                current("chm_site_team", "site, team", SITE_TEAM),
                current("chm_maintenance_active", "device", MAINTENANCE),
                current("chm_interface_monitored", "device, ifName, importance", INTERFACE),
            ),
        ),
        Group(
            "chm-thresholds",
            options.lasting_interval,
            (
                current("chm_threshold", "device, metric, severity", THRESHOLD),
                current("chm_threshold_common", "metric, severity", COMMON),
                Record("metric:chm_threshold:lowest", LOWEST),
            ),
        ),
    )


def current(metric: str, labels: str, recorded: str) -> Record:
    """Record `metric` without the labels of its scrape, and with the fallback."""
    expr = CURRENT.substitute(metric=metric, labels=labels, recorded=recorded)
    return Record(recorded, expr)


def described(decided: str, recorded: str) -> Record:
    """Record decisions about ports once more, by what they match where a port has no ifName."""
    name = f"interface:chm_interface_monitored:{recorded}"
    return Record(name, DESCRIBED.substitute(which=decided))
