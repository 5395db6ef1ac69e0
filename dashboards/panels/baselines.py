"""What is unusual: where aggregates of sites and roles are in the bands they have learned."""

from dashboards.panel import Panel, Query
from dashboards.visuals import lines

PLACE = """\
max by (baseline, site, role) (
  (baseline:aggregate:value{$where} - baseline:aggregate:band_lower{$where})
  /
  (baseline:aggregate:band_upper{$where} - baseline:aggregate:band_lower{$where})
)"""


def places() -> Panel:
    """Show each aggregate that has a baseline by its place in the band."""
    return lines(
        "What is unusual",
        "Where traffic, loss, response times and processors are in the bands they have learned: "
        "0 % is the lower end, 100 % the upper one, and what lies beyond is unusual.",
        "percentunit",
        (Query(PLACE, "{{baseline}} {{site}}{{role}}"),),
        width=24,
        empty="No baseline has learned a band yet",
    )
