"""How hot it is, in degrees Celsius."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.panels import thresholds
from dashboards.visuals import lines, stat

HOTTEST = "max by (device) (chm_temperature_celsius{$probe})"
LIMITS = 'chm_temperature_limit_celsius{$probe, limit="high_critical"} > 0'


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
        "Each sensor of the device, and the limits it has for them; dashed: the thresholds in force"
        " for sensors without a limit.",
        "celsius",
        (
            Query("chm_temperature_celsius{$probe}", "{{sensor}}"),
            Query(LIMITS, "{{sensor}}: limit"),
            thresholds.query("temperature"),
        ),
        overrides=thresholds.OVERRIDES,
        width=8,
        empty="This device reports no temperature sensor",
    )
