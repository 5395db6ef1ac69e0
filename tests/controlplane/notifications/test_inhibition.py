"""What a device shows besides being dead is no news: the shipped rules of a real Alertmanager."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.clients.notifier import Notifier
from controlplane.database import now
from controlplane.provisioning.alertmanager import amtool, document
from controlplane.provisioning.alertmanager.deployment import Target, deploy
from controlplane.provisioning.alertmanager.document import Intention
from controlplane.settings import Settings
from tests.controlplane.notifications.running import Alertmanager, Sink, sink, until
from tests.tools import tool

Labels = dict[str, str]


class World:
    """An Alertmanager with the shipped rules, and who it tells."""

    def __init__(self, notifier: Notifier, web: Sink) -> None:
        self.notifier, self.sink = notifier, web

    async def fire(
        self, alertname: str, device: str, severity: str, alertclass: str, **port: str
    ) -> None:
        """Have an alert fire, of a port where it has labels."""
        labels = {"alertname": alertname, "severity": severity, "alertclass": alertclass, **port}
        if device:
            labels["device"] = device
        await self.notifier.tell(labels, {}, now() + timedelta(minutes=5))

    def told(self) -> set[tuple[str, str]]:
        """Give name and device of each alert that people were told of."""
        return {(of["alertname"], of.get("device", "")) for of in self.labels()}

    def labels(self) -> list[Labels]:
        """Give the labels of each alert that people were told of."""
        return [alert["labels"] for r in self.sink.at("/hook") for alert in r.body["alerts"]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with sink() as web:
        settings = Settings(data=tmp_path, group_wait=1, notify_webhooks=(web.url("/hook"),))
        prometheus = settings.prometheus_folder
        (prometheus / "secrets").mkdir(parents=True)
        (prometheus / "secrets" / "alertmanager.token").write_text("token")
        server = Alertmanager(prometheus)
        version = await amtool.version(tool("amtool"), 10)
        async with Notifier.at(server.url) as stopped:
            wanted = document.build(settings, Intention(), version)
            await deploy(wanted, Target(prometheus, stopped, tool("amtool")))
        async with server.running() as notifier:
            yield World(notifier, web)


@pytest.mark.parametrize(
    ("cause", "severity"),
    [("DeviceDown", "critical"), ("DeviceFlapping", "critical"), ("DeviceUnreachable", "none")],
)
async def test_symptoms_of_a_device_that_does_not_answer(
    world: World, cause: str, severity: str
) -> None:
    """Its symptoms are muted; those of another device, and alerts without a device, are not."""
    alertclass = "symptom" if severity == "none" else "cause"
    await world.fire(cause, "core1", severity, alertclass)
    await world.fire(cause, "", severity, alertclass)
    await world.fire("InterfaceFlapping", "core1", "warning", "symptom")
    await world.fire("PacketLoss", "core1", "critical", "symptom")
    for device in ("core2", ""):
        await world.fire("PacketLoss", device, "critical", "symptom")
    await world.fire("Later", "core2", "critical", "cause")

    await until(lambda: ("Later", "core2") in world.told())
    told = {("PacketLoss", "core2"), ("PacketLoss", ""), ("Later", "core2")}
    told |= {(cause, "core1"), (cause, "")} if severity != "none" else set()
    assert world.told() == told


async def test_a_critical_alert_mutes_the_warning_of_its_own_port(world: World) -> None:
    """Not of another port; those that are gone with their line card have no ifIndex."""
    gone = [{"ifName": f"Gi0/{number}"} for number in (1, 2)]
    nameless = [{"ifDescr": f"port {number}"} for number in (1, 2)]
    for critical, other in (gone, nameless):
        await world.fire("InterfaceDown", "core1", "critical", "symptom", **critical)
        await world.fire("InterfaceDown", "core1", "warning", "symptom", **other)
    full = {"ifIndex": "7", "ifName": "Gi0/7", "ifDescr": "GigabitEthernet0/7", "direction": "in"}
    for severity in ("critical", "warning"):
        await world.fire("InterfaceSaturated", "core1", severity, "symptom", **full)
    await world.fire("Later", "core2", "critical", "cause")

    await until(lambda: ("Later", "core2") in world.told())
    told = {
        (of["severity"], of.get("ifName") or of.get("ifDescr"))
        for of in world.labels()
        if of["device"] == "core1"
    }
    assert told == {
        ("critical", "Gi0/1"),
        ("warning", "Gi0/2"),
        ("critical", "port 1"),
        ("warning", "port 2"),
        ("critical", "Gi0/7"),
    }
