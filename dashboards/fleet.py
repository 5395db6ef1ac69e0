"""The fleet board: what is broken, what will be, and where to look first."""

from dashboards.panel import Board, Section, Variable
from dashboards.panels import (
    alerts,
    availability,
    baselines,
    devices,
    interfaces,
    measurement,
)

UID = "chm-fleet"


def board() -> Board:
    """Compose the first board of the night: trouble on top, then every device, then the details."""
    return Board(
        uid=UID,
        title="Fleet overview",
        description="The health of the whole network, worst things first.",
        scope='site=~"$site", role=~"$role", vendor=~"$vendor", device=~"$device"',
        variables=_variables(),
        sections=(
            Section(
                (
                    availability.down(),
                    availability.unknown(),
                    availability.up(),
                    availability.availability(),
                    alerts.critical(),
                    alerts.warning(),
                    alerts.listed(),
                    availability.outages(),
                    devices.listed(),
                )
            ),
            Section((interfaces.busiest(), interfaces.most_errors()), "Interfaces"),
            Section((baselines.places(),), "Baselines"),
            Section(
                (measurement.slowest(), measurement.failing(), measurement.stack()),
                "Health of the measurement",
            ),
        ),
    )


def _variables() -> tuple[Variable, ...]:
    """Choices that narrow each other; targets, for they are there also when nothing answers."""
    site = 'site=~"$site"'
    role = f'{site}, role=~"$role"'
    vendor = f'{role}, vendor=~"$vendor"'
    job = 'job="chm-devices"'
    return (
        Variable("site", "Site", f"up{{{job}}}", "site"),
        Variable("role", "Role", f"up{{{job}, {site}}}", "role"),
        Variable("vendor", "Vendor", f"up{{{job}, {role}}}", "vendor"),
        Variable("device", "Device", f"up{{{job}, {vendor}}}", "device"),
    )
