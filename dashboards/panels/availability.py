"""Is it there: devices up, down and unknown, uptime, and who they are."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.tables import Column, table
from dashboards.visuals import stat, timeline

# Every probe is a slot. One that ended without a verdict counts as not available, so an exporter
# that is down cannot make the network look well.
AVAILABILITY = """\
(sum(sum_over_time(chm_device_up{$probe}[$__range])) or vector(0))
/
sum(count_over_time(up{$probe}[$__range]))"""

# Devices that should be watched (the inventory, and the targets in case the control plane is
# down) and that nothing is known of.
UNKNOWN = """\
(
  max by (device, site, role, vendor) (chm_inventory_device_info{$intent})
  or on (device)
  max by (device, site, role, vendor) (up{$probe})
)
unless on (device) chm_device_up{$probe}"""

STATE = f"""\
max by (device, site, role, vendor) (chm_device_up{{$probe}})
or on (device)
({UNKNOWN}) * 0 - 1"""

_AVAILABILITY_STEPS = colours.steps(
    (None, colours.CRITICAL), (0.99, colours.WARNING), (0.999, colours.HEALTHY)
)


def down() -> Panel:
    """Show how many devices do not answer."""
    return stat(
        "Down",
        "Devices that were asked and did not answer.",
        "short",
        "count(chm_device_up{$probe} == 0) or vector(0)",
        thresholds=colours.NONE_IS_WELL,
    )


def unknown() -> Panel:
    """Show how many devices nothing is known of."""
    return stat(
        "Unknown",
        "Devices that should be watched and that nobody could ask: "
        "look at the exporter and at the health of the measurement below.",
        "short",
        f"count({UNKNOWN}) or vector(0)",
        thresholds=colours.NONE_IS_WELL_ELSE_WARN,
    )


def up() -> Panel:
    """Show how many devices answer."""
    return stat(
        "Up",
        "Devices that answered their last probe.",
        "short",
        "count(chm_device_up{$probe} == 1) or vector(0)",
        thresholds=colours.steps((None, colours.HEALTHY)),
    )


def availability(width: int = 4) -> Panel:
    """Show the share of probes in the time range that were answered."""
    return stat(
        "Availability",
        "Share of the probes in the time range that were answered; a probe without a verdict "
        "counts against it. What was promised, with maintenance excluded, is in the SLA report.",
        "percentunit",
        AVAILABILITY,
        thresholds=_AVAILABILITY_STEPS,
        width=width,
    )


def outages() -> Panel:
    """Show when the devices that were down in the time range were down."""
    return timeline(
        "Outages",
        "Devices that were down at least once in the time range. A gap is time without a verdict.",
        Query(
            "max by (device) (chm_device_up{$probe}) and on (device) "
            "(min_over_time(chm_device_up{$probe}[$__range] @ end()) == 0)",
            "{{device}}",
        ),
        colours.STATE,
        empty="No device was down in this time range",
    )


def state() -> Panel:
    """Show up, down or unknown, for the one device of the board."""
    return stat(
        "State",
        "Up: it answered the last probe. Down: it did not. Unknown: nobody could ask it.",
        "none",
        STATE,
        mappings=colours.STATE,
        width=3,
    )


def history() -> Panel:
    """Show up and down over time, for the one device of the board."""
    return timeline(
        "State over time",
        "What each probe found. A gap is time without a verdict.",
        Query("max by (device) (chm_device_up{$probe})", "{{device}}"),
        colours.STATE,
        width=8,
    )


def uptime() -> Panel:
    """Show the time since the device started."""
    return stat(
        "Uptime",
        "Time since the device last started, as the device counts it. "
        "Orange within an hour of a restart.",
        "s",
        "max(chm_uptime_seconds{$probe})",
        thresholds=colours.steps((None, colours.WARNING), (3600, colours.HEALTHY)),
        width=3,
        empty="not reported",
    )


def identity() -> Panel:
    """Show the model, software, serial number and name of the device."""
    labels = ("vendor", "model", "os_version", "serial", "sys_name", "site", "role")
    titles = ("Vendor", "Model", "Software", "Serial number", "Own name", "Site", "Role")
    return table(
        "Identity",
        "What the device says it is, and where the inventory says it stands.",
        tuple(Column(title, label) for title, label in zip(titles, labels, strict=True)),
        (Column("", f"max by ({', '.join(labels)}) (chm_device_info{{$probe}})"),),
        sort="Model",
        height=4,
        width=21,
    )
