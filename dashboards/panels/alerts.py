"""What Prometheus says is wrong just now."""

from dashboards import colours
from dashboards.panel import Panel
from dashboards.tables import Column, table
from dashboards.visuals import stat

# The age of each firing alert in seconds; ALERTS_FOR_STATE holds the time its condition began.
AGE = """\
(time() - ALERTS_FOR_STATE{severity!="none", $where})
and ignoring (alertstate)
ALERTS{alertstate="firing", severity!="none", $where}"""


def count(severity: str, thresholds: dict[str, object]) -> Panel:
    """Show how many alerts of one severity fire."""
    return stat(
        f"Alerts: {severity}",
        f"Alerts of severity {severity} that fire now, silenced ones included.",
        "short",
        'count(ALERTS{alertstate="firing", severity="SEVERITY", $where}) or vector(0)'.replace(
            "SEVERITY", severity
        ),
        thresholds=thresholds,
    )


def critical() -> Panel:
    """Show how many critical alerts fire."""
    return count("critical", colours.NONE_IS_WELL)


def warning() -> Panel:
    """Show how many warnings fire."""
    return count("warning", colours.NONE_IS_WELL_ELSE_WARN)


def firing() -> Panel:
    """Show how many alerts fire for the one device of the board."""
    return stat(
        "Alerts",
        "Alerts of the device that fire now, silenced ones included.",
        "short",
        'count(ALERTS{alertstate="firing", severity=~"critical|warning", $where}) or vector(0)',
        thresholds=colours.NONE_IS_WELL,
        width=3,
    )


def listed(*, of_one_device: bool = False) -> Panel:
    """Show the firing alerts, the newest first: what changed last is where to look first."""
    device = Column("Device", "device", link="__data.fields.device")
    labels = (
        Column(
            "Severity",
            "severity",
            cell="color-background",
            mappings=tuple(colours.SEVERITY),
            width=90,
        ),
        Column("Alert", "alertname"),
        *(() if of_one_device else (device, Column("Site", "site"))),
        Column("Class", "alertclass", width=100),
    )
    by = ", ".join(label.source for label in labels)
    return table(
        "Firing alerts",
        "What fires now, the newest first. A cause explains the symptoms beside it.",
        labels,
        (Column("For", f"min by ({by}) ({AGE})", unit="s", width=110),),
        sort="For",
        width=11 if of_one_device else 12,
        empty="No alert is firing",
    )
