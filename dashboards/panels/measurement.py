"""Can the measurement be trusted: probes, collectors, and the parts of the stack."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.tables import Column, table
from dashboards.visuals import bars, lines, timeline


def slowest() -> Panel:
    """Show the devices that take longest to answer."""
    return bars(
        "Slowest probes",
        "The ten devices that take longest to be asked everything. "
        "A probe that outlasts its scrape timeout is lost.",
        "s",
        Query("topk(10, scrape_duration_seconds{$probe})", "{{device}}", instant=True),
        thresholds=colours.steps((None, colours.HEALTHY), (10, colours.WARNING)),
        width=8,
    )


def failing() -> Panel:
    """Show the collectors that got no answer from a device that is up."""
    return table(
        "Failing collectors",
        "What could not be read from devices that answer otherwise: "
        "credentials, views, or a firmware that lacks the MIB.",
        (
            Column("Device", "device", link="__data.fields.device"),
            Column("Collector", "collector"),
        ),
        (
            Column(
                "",
                "max by (device, collector) (chm_collector_success{$probe} == 0) "
                "and on (device) (chm_device_up{$probe} == 1)",
            ),
        ),
        sort="Device",
        width=8,
        empty="Every collector succeeds",
    )


def stack() -> Panel:
    """Show whether the parts of the stack answer Prometheus."""
    return timeline(
        "Parts of the stack",
        "Whether each part of the monitoring itself answers Prometheus.",
        Query('min by (job) (up{job=~"chm-.+", job!="chm-devices"})', "{{job}}"),
        colours.STATE,
        width=8,
    )


def collectors() -> Panel:
    """Show the success of each collector of the one device over time."""
    return timeline(
        "Collectors",
        "Whether each way of asking the device succeeded.",
        Query("chm_collector_success{$probe}", "{{collector}}"),
        colours.WORKS,
    )


def duration() -> Panel:
    """Show how long each probe of the one device took."""
    return lines(
        "Duration of probes",
        "How long it takes to ask the device everything. "
        "A rise without more interfaces is a slow or overloaded management plane.",
        "s",
        (Query("scrape_duration_seconds{$probe}", "{{device}}"),),
        minimum=0,
    )
