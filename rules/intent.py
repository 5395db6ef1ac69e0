"""Recorded intent: what the control plane wants, kept for an hour while it is down.

While `up{job="chm-intent"}` is 1 the recorded series are what was scraped last, so a device that
was removed is gone at the next evaluation. While it is not, each series carries its own last value
forward. (`last_over_time` over the scraped series would bring back devices that were removed
within its range, and join a moved device twice.)
"""

from string import Template

from rules.options import Intent
from rules.rule import Group, Record

CURRENT = Template("""\
max by ($labels) ($metric)
or
(
  $recorded
  unless on () (up{job="chm-intent"} == 1)
  and on () (max_over_time(up{job="chm-intent"}[1h]) == 1)
)""")

# A port without ifName is known by its ifDescr: the same as a series that such a port matches.
DESCRIBED = """\
max by (device, ifDescr, importance) (
  label_replace(interface:chm_interface_monitored:current, "ifDescr", "$1", "ifName", "(.+)")
)"""

INVENTORY = "device:chm_inventory_device_info:current"
SITE_TEAM = "site:chm_site_team:current"
PARENT = "device:chm_topology_parent:current"
MAINTENANCE = "device:chm_maintenance_active:current"
THRESHOLD = "device:chm_threshold:current"
INTERFACE = "interface:chm_interface_monitored:current"
INTERFACE_DESCRIBED = "interface:chm_interface_monitored:described"


def groups(options: Intent) -> tuple[Group, ...]:
    """Two groups: thresholds, which are many and seldom change, and all else."""
    return (
        Group(
            "chm-intent",
            options.sample_interval,
            (
                current("chm_inventory_device_info", "device, site, role, vendor, team", INVENTORY),
                current("chm_topology_parent", "device, parent", PARENT),
                current("chm_site_team", "site, team", SITE_TEAM),
                current("chm_maintenance_active", "device", MAINTENANCE),
                current("chm_interface_monitored", "device, ifName, importance", INTERFACE),
                Record(INTERFACE_DESCRIBED, DESCRIBED),
            ),
        ),
        Group(
            "chm-thresholds",
            options.lasting_interval,
            (current("chm_threshold", "device, metric, severity", THRESHOLD),),
        ),
    )


def current(metric: str, labels: str, recorded: str) -> Record:
    """Record `metric` without the labels of its scrape, and with the fallback."""
    expr = CURRENT.substitute(metric=metric, labels=labels, recorded=recorded)
    return Record(recorded, expr)
