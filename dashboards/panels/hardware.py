"""Parts that break: fans and power supplies."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.visuals import stat, timeline


def failed() -> Panel:
    """Show how many fans and power supplies have failed."""
    return stat(
        "Failed parts",
        "Fans and power supplies that report a failure.",
        "short",
        "count(chm_fan_up{$probe} == 0 or chm_power_supply_up{$probe} == 0) or vector(0)",
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
