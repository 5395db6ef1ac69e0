"""How hot it is, in degrees Celsius."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.panels import thresholds
from dashboards.visuals import lines, stat

HOTTEST = "max by (device) (chm_temperature_celsius{$probe})"


def hottest() -> Panel:
    """Show the hottest sensor just now."""
    return stat(
        "Temperature",
        "The hottest sensor of the device.",
        "celsius",
        HOTTEST,
        thresholds=colours.CELSIUS,
        width=3,
        empty="no sensor",
    )


def sensors() -> Panel:
    """Show every sensor over time, against the thresholds in force."""
    return lines(
        "Temperature by sensor",
        "Each sensor of the device; dashed: the thresholds in force for it.",
        "celsius",
        (Query("chm_temperature_celsius{$probe}", "{{sensor}}"), thresholds.query("temperature")),
        overrides=thresholds.OVERRIDES,
        width=8,
        empty="This device reports no temperature sensor",
    )
