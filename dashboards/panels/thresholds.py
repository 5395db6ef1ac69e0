"""The thresholds in force for a device, drawn as dashed lines into the graph of their metric."""

from dashboards import colours
from dashboards.panel import Json, Query

# Of a device that has others than most there are series of its own.
IN_FORCE = """\
max by (severity) (chm_threshold{$intent, metric="METRIC"})
or
max by (severity) (chm_threshold_common{job="chm-intent", metric="METRIC"})"""


def query(metric: str) -> Query:
    """Show the thresholds of one metric (a name of the catalogue, no user data) by severity."""
    return Query(IN_FORCE.replace("METRIC", metric), "threshold {{severity}}")


def _line(severity: str, colour: str) -> Json:
    properties = {
        "color": {"mode": "fixed", "fixedColor": colour},
        "custom.fillOpacity": 0,
        "custom.lineStyle": {"fill": "dash", "dash": [8, 8]},
        "custom.showPoints": "never",
    }
    return {
        "matcher": {"id": "byName", "options": f"threshold {severity}"},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }


OVERRIDES = (_line("warning", colours.WARNING), _line("critical", colours.CRITICAL))
