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

    async def fire(self, alertname: str, device: str, severity: str, alertclass: str) -> None:
        """Have an alert fire."""
        labels = {"alertname": alertname, "severity": severity, "alertclass": alertclass}
        if device:
            labels["device"] = device
        await self.notifier.tell(labels, {}, now() + timedelta(minutes=5))

    def told(self) -> set[tuple[str, str]]:
        """Give name and device of each alert that people were told of."""
        labels = (alert["labels"] for r in self.sink.at("/hook") for alert in r.body["alerts"])
        return {(of["alertname"], of.get("device", "")) for of in labels}


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
