"""Parts that break: fans, power supplies, modules, members of a stack."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.visuals import lines, stat, timeline

FAILED = """\
count(
  chm_fan_up{$probe} == 0
  or chm_power_supply_up{$probe} == 0
  or chm_module_up{$probe} == 0
  or chm_stack_member_up{$probe} == 0
)
or vector(0)"""


def failed() -> Panel:
    """Show how many parts have failed."""
    return stat(
        "Failed parts",
        "Fans, power supplies, modules and stack members that report a failure.",
        "short",
        FAILED,
        thresholds=colours.NONE_IS_WELL,
        width=3,
    )


def fans() -> Panel:
    """Show every fan over time."""
    return timeline(
        "Fans",
        "What each fan reports; a failed fan is followed by heat.",
        Query("chm_fan_up{$probe}", "{{fan}}"),
        colours.WORKS,
        empty="This device reports no fan",
    )


def power_supplies() -> Panel:
    """Show every power supply over time."""
    return timeline(
        "Power supplies",
        "What each power supply reports; with one failed, the next failure is an outage.",
        Query("chm_power_supply_up{$probe}", "{{psu}}"),
        colours.WORKS,
        empty="This device reports no power supply",
    )


def modules() -> Panel:
    """Show every module and every member of a stack over time."""
    return timeline(
        "Modules and stack",
        "What each module and each member of the stack reports; its ports share its fate.",
        Query("chm_module_up{$probe} or chm_stack_member_up{$probe}", "{{module}}{{member}}"),
        colours.WORKS,
        empty="This device reports neither modules nor a stack",
    )


def optics() -> Panel:
    """Show the light that transceivers send and receive."""
    return lines(
        "Optical power",
        "Light sent and received, in decibels over a milliwatt; -30 and less is no light.",
        "dBm",
        (Query("chm_sensor_dbm{$probe}", "{{sensor}}"),),
        empty="This device reports no light of its transceivers",
    )
