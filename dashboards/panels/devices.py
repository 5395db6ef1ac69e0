"""All devices with the worst of each signal, a row for each."""

from typing import Any

from dashboards import colours
from dashboards.panel import Panel
from dashboards.panels import availability, cpu, memory, temperature
from dashboards.tables import Column, table


def listed() -> Panel:
    """Show every device: state, uptime, CPU, memory, temperature; those in trouble first."""
    share: dict[str, Any] = {"unit": "percentunit", "cell": "gauge", "thresholds": colours.RATIO}
    return table(
        "Devices",
        "Every device that should be watched, unknown and down ones first. CPU, memory and "
        "temperature are of the busiest processor, the fullest pool and the hottest sensor. "
        "A name leads to the board of the device.",
        (
            Column("Device", "device", link="__data.fields.device"),
            Column("Site", "site"),
            Column("Role", "role"),
            Column("Vendor", "vendor"),
        ),
        (
            Column(
                "State",
                availability.STATE,
                cell="color-background",
                mappings=tuple(colours.STATE),
                width=90,
            ),
            Column("Uptime", "max by (device) (chm_uptime_seconds{$probe})", unit="s"),
            Column("CPU", cpu.BUSIEST, **share),
            Column("Memory", memory.FULLEST, **share),
            Column(
                "Temperature",
                temperature.HOTTEST,
                unit="celsius",
                cell="color-text",
                thresholds=colours.CELSIUS,
            ),
        ),
        sort="State",
        height=12,
    )
