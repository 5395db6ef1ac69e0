"""Sessions between routers: BGP peers and OSPF neighbours."""

from string import Template

from rules import flapping, lost
from rules.options import Intent, minutes
from rules.rule import Alert, Group, Record

# A session that is switched off is meant to be down; a device that cannot say so means it to be up.
BGP_DOWN = """\
min without (instance, job) (chm_bgp_session_up == 0)
unless on (device, peer, remote_as)
(chm_bgp_session_enabled == 0)
unless on (device, peer, remote_as)
session:chm_bgp_session_transitions:flapping
unless on (device)
device:chm_inventory_device_info:missing"""

BGP_CHANGES = Template(
    "max without (instance, job) (increase(chm_bgp_session_transitions_total[$range]) > 0)"
)
BGP_FLAPS = 3  # times established

BGP_FLAPPING = """\
session:chm_bgp_session_transitions:flapping
unless on (device)
device:chm_inventory_device_info:missing"""

NEIGHBOR_LOST = "neighbor:chm_ospf_neighbor_up:lost_timestamp_seconds"

OSPF_DOWN = f"""\
(
  min without (instance, job) (chm_ospf_neighbor_up == 0)
  unless on (device)
  device:chm_inventory_device_info:missing
)
or
{lost.gone(NEIGHBOR_LOST)}"""

PEER = "{{ $labels.peer }} (AS {{ $labels.remote_as }})"
NEIGHBOR = "{{ $labels.neighbor }} (router {{ $labels.router_id }})"
DEVICE = "{{ $labels.device }}"


def groups(options: Intent) -> tuple[Group, ...]:
    """One group, run as often as devices are polled."""
    neighbor_lost = lost.record(
        NEIGHBOR_LOST, "chm_ospf_neighbor_up", "neighbor", "router_id", counted=False
    )
    within = flapping.Window(2 * options.flap_within, options.scrape_interval)
    flaps = flapping.records("session:chm_bgp_session_transitions", BGP_CHANGES, BGP_FLAPS, within)
    rules: tuple[Record | Alert, ...] = (neighbor_lost, *flaps, *_alerts(options))
    return (Group("chm-routing", options.sample_interval, rules),)


def _alerts(options: Intent) -> tuple[Alert, ...]:
    return (
        Alert(
            "BgpSessionDown",
            BGP_DOWN,
            "warning",
            "symptom",
            f"{DEVICE} has lost BGP peer {PEER}",
            f"The BGP session of {DEVICE} (site {{{{ $labels.site }}}}) with {PEER} is switched "
            "on, but not established.",
            hold=options.confirm_for,
            keep=options.keep_for,
            flaps_within=2 * options.flap_within,
        ),
        Alert(
            "BgpSessionFlapping",
            BGP_FLAPPING,
            "warning",
            "symptom",
            f"The BGP session of {DEVICE} with {PEER} flaps",
            f"The BGP session of {DEVICE} (site {{{{ $labels.site }}}}) with {PEER} was "
            f"established {{{{ $value | humanize }}}} times within "
            f"{minutes(2 * options.flap_within)}.",
        ),
        Alert(
            "OspfNeighborDown",
            OSPF_DOWN,
            "warning",
            "symptom",
            f"{DEVICE} has lost OSPF neighbour {NEIGHBOR}",
            f"The adjacency of {DEVICE} (site {{{{ $labels.site }}}}) with {NEIGHBOR} is not "
            "full, or the neighbour is gone.",
            hold=options.confirm_for,
            keep=options.keep_for,
        ),
    )
