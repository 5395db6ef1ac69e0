"""The device board: everything CHM knows of one device."""

from dashboards.panel import Board, Link, Section, Variable
from dashboards.panels import (
    alerts,
    availability,
    cpu,
    hardware,
    interfaces,
    measurement,
    memory,
    routing,
    temperature,
    topology,
)

UID = "chm-device"


def board() -> Board:
    """Compose the board of one device: is it there, what is wrong, then signal by signal."""
    return Board(
        uid=UID,
        title="Device",
        description="One device: state, alerts, environment, interfaces.",
        scope='device="$device"',
        variables=(
            Variable("device", "Device", 'up{job="chm-devices"}', "device", many=False),
            Variable(
                "interface",
                "Interface",
                'ifOperStatus{job="chm-devices", device="$device"}',
                "ifName",
            ),
        ),
        links=(Link("Fleet overview", "/d/chm-fleet"),),
        sections=(
            Section(
                (
                    availability.state(),
                    alerts.firing(),
                    availability.availability(width=3),
                    interfaces.down(),
                    hardware.failed(),
                    cpu.busiest(),
                    memory.fullest(),
                    temperature.hottest(),
                    availability.uptime(),
                    availability.identity(),
                    alerts.listed(of_one_device=True),
                    topology.upstream(),
                    availability.history(),
                )
            ),
            Section(
                (
                    interfaces.listed(),
                    interfaces.traffic(),
                    interfaces.utilization(),
                    interfaces.errors(),
                    interfaces.discards(),
                ),
                "Interfaces",
            ),
            Section(
                (
                    cpu.utilization(),
                    memory.utilization(),
                    temperature.sensors(),
                    hardware.fans(),
                    hardware.power_supplies(),
                    hardware.modules(),
                    hardware.optics(),
                ),
                "Processors, memory, parts",
            ),
            Section((routing.bgp(), routing.ospf()), "Routing"),
            Section((measurement.collectors(), measurement.duration()), "Measurement"),
        ),
    )
