"""How busy the processors are."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.panels import thresholds
from dashboards.visuals import lines, stat

BUSIEST = "max by (device) (chm_cpu_utilization_ratio{$probe})"


def busiest() -> Panel:
    """Show the busiest processor just now."""
    return stat(
        "CPU",
        "The busiest processor of the device.",
        "percentunit",
        BUSIEST,
        thresholds=colours.RATIO,
        width=3,
        empty="not reported",
    )


def utilization() -> Panel:
    """Show every processor over time, against the thresholds in force."""
    return lines(
        "CPU by processor",
        "Each processor of the device; dashed: the thresholds in force for it.",
        "percentunit",
        (
            Query("chm_cpu_utilization_ratio{$probe}", "{{cpu}}"),
            thresholds.query("cpu_utilization"),
        ),
        minimum=0,
        maximum=1,
        overrides=thresholds.OVERRIDES,
        width=8,
        empty="This device reports no processor",
    )
