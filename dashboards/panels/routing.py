"""Sessions between routers: BGP peers and OSPF neighbours."""

from dashboards import colours
from dashboards.panel import Panel, Query
from dashboards.visuals import timeline


def bgp() -> Panel:
    """Show every BGP session that is switched on, over time."""
    return timeline(
        "BGP sessions",
        "Each session that is meant to be up: established or not.",
        Query(
            "chm_bgp_session_up{$probe} unless chm_bgp_session_enabled{$probe} == 0",
            "{{peer}} (AS {{remote_as}})",
        ),
        colours.UP,
        empty="This device reports no BGP session",
    )


def ospf() -> Panel:
    """Show every OSPF neighbour over time."""
    return timeline(
        "OSPF neighbours",
        "Each neighbour: adjacent as it should be or not; one that is gone leaves a gap.",
        Query("chm_ospf_neighbor_up{$probe}", "{{neighbor}}"),
        colours.UP,
        empty="This device reports no OSPF neighbour",
    )
