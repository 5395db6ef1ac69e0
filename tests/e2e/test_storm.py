"""A core switch with 200 devices behind it dies, on the whole stack: people are told once."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.network import BEHIND, Network, running_network
from tests.e2e.running import Stack, eventually, running_stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PACE = {
    "CHM_MANAGEMENT_NETWORKS": "127.0.0.0/8",
    "CHM_SCRAPE_INTERVAL": "10",
    "CHM_DOWN_FOR": "20",
    "CHM_ALERTS_SETTLE": "70",  # Prometheus tells again every minute
    "CHM_ALERTS_CONFIRM": "1",
}


@dataclass
class Scene:
    """The stack, and the network that it watches."""

    stack: Stack
    network: Network

    def told(self) -> list[list[tuple[str, str, str]]]:
        """Give name, device and status of the alerts of each notification of people."""
        return [
            [(a["labels"]["alertname"], a["labels"].get("device", ""), a["status"]) for a in alerts]
            for _, message in list(self.stack.receiver.notifications)
            if (alerts := message["alerts"])
        ]

    def count(self, query: str) -> int:
        """Count what a list of the control plane has."""
        found: int = self.get(query)["count"]
        return found

    def get(self, path: str) -> dict[str, Any]:
        """Ask the control plane."""
        body: dict[str, Any] = self.stack.api("GET", path).raise_for_status().json()
        return body


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with (
        tempfile.TemporaryDirectory(prefix="chm-e2e-") as folder,
        running_network(Path(folder)) as network,
        running_stack(Path(folder) / "data", **PACE) as stack,
    ):
        imported = stack.api("POST", "devices/import", network.inventory())
        assert imported.is_success, imported.text
        eventually(lambda: len(stack.up()) == BEHIND + 2, 240, "every device up")
        neighbor = 'chm_neighbor_info{device="router1",neighbor="core1"}'
        eventually(lambda: stack.query(neighbor), 120, "the neighbour of the core known")
        scene = Scene(stack, network)
        eventually(lambda: not scene.count("alerts?status=firing&limit=1"), 180, "nothing wrong")
        stack.receiver.notifications.clear()  # of devices that were slow to come up
        yield scene


def test_a_core_switch_dies(scene: Scene) -> None:
    """One notification names the root cause; 200 symptoms are seen and silent; then one end."""
    scene.network.fail("core1")
    eventually(scene.told, 90, "a notification")
    unreachable = "alerts?alertname=DeviceUnreachable&status=firing&limit=1"
    eventually(lambda: scene.count(unreachable) == BEHIND, 90, "every symptom in the list")
    _shown_as_one_incident(scene)

    scene.network.mend("core1")
    eventually(lambda: len(scene.told()) > 1, 120, "the end told")
    eventually(lambda: not scene.count("alerts?status=firing&limit=1"), 120, "the end of all")

    assert scene.told() == [
        [("DeviceDown", "core1", "firing")],
        [("DeviceDown", "core1", "resolved")],
    ]
    (first, _) = scene.stack.receiver.notifications
    assert first[1]["alerts"][0]["annotations"]["summary"] == "core1 is down"


def _shown_as_one_incident(scene: Scene) -> None:
    def whole() -> list[dict[str, Any]]:
        found = scene.get("incidents")["results"]
        return [i for i in found if i["symptoms"] == BEHIND]

    (incident,) = eventually(whole, 60, "an incident of all of them")
    assert (incident["cause"]["alertname"], incident["cause"]["device"]) == ("DeviceDown", "core1")
    part = scene.get(f"alerts?incident={incident['id']}&alertname=DeviceUnreachable&limit=1")
    assert part["count"] == BEHIND
    assert part["results"][0]["severity"] == "none"
