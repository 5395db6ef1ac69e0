"""What lies between a device and the poller: the first question when it does not answer."""

from dashboards import colours
from dashboards.panel import Panel
from dashboards.tables import Column, table

# The parents are other devices than the one of the board, so their state is asked for by job
# alone; a parent without a verdict is unknown (-1), not missing.
PARENTS = """\
(
  max by (parent) (
    label_replace(chm_device_up{job="chm-devices"}, "parent", "$1", "device", "(.+)")
  )
  and on (parent) chm_topology_parent{$intent}
)
or on (parent)
max by (parent) (chm_topology_parent{$intent}) - 2"""


def upstream() -> Panel:
    """Show the devices through which the one device of the board is reached, with their state."""
    return table(
        "Upstream",
        "The devices through which this one is reached; several are alternatives. "
        "When all of them are down, look there first.",
        (Column("Through", "parent", link="__data.fields.parent"),),
        (
            Column(
                "State",
                PARENTS,
                cell="color-background",
                mappings=tuple(colours.STATE),
                width=90,
            ),
        ),
        sort="State",
        width=5,
        empty="Reached directly",
    )
