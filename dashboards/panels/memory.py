"""How full the memory is, whether a device tells the ratio or the bytes."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.panels import thresholds
from dashboards.visuals import lines, stat

UTILIZATION = """\
chm_memory_utilization_ratio{$probe}
or
chm_memory_used_bytes{$probe} / (chm_memory_size_bytes{$probe} > 0)"""

FULLEST = f"max by (device) ({UTILIZATION})"


def fullest() -> Panel:
    """Show the fullest memory pool just now."""
    return stat(
        "Memory",
        "The fullest memory pool of the device.",
        "percentunit",
        FULLEST,
        thresholds=colours.RATIO,
        width=3,
        empty="not reported",
    )


def utilization() -> Panel:
    """Show every memory pool over time, against the thresholds in force."""
    return lines(
        "Memory by pool",
        "Each memory pool of the device; dashed: the thresholds in force for it.",
        "percentunit",
        (Query(UTILIZATION, "{{pool}}"), thresholds.query("memory_utilization")),
        minimum=0,
        maximum=1,
        overrides=thresholds.OVERRIDES,
        width=8,
        empty="This device reports no memory pool",
    )
