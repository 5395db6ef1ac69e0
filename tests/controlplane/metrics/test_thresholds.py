"""Thresholds over HTTP."""

from typing import Any

import pytest
from httpx import AsyncClient

URL = "/api/v1/thresholds"
OWN = "/api/v1/devices/core1/thresholds"


async def in_force(client: AsyncClient, url: str) -> dict[tuple[str, str], tuple[float, str]]:
    return {
        (t["metric"], t["severity"]): (t["value"], t["source"])
        for t in (await client.get(url)).json()
    }


@pytest.fixture
async def core1(client: AsyncClient) -> None:
    await client.post("/api/v1/devices", json={"name": "core1", "address": "10.0.0.1"})


async def test_defaults(client: AsyncClient) -> None:
    """Every metric has a warning and a critical threshold before anyone sets one."""
    defaults = await in_force(client, URL)
    assert len(defaults) == 18
    assert defaults["cpu_utilization", "warning"] == (0.8, "default")
    assert defaults["temperature", "critical"] == (80, "default")


@pytest.mark.usefixtures("core1")
async def test_the_narrower_counts(client: AsyncClient) -> None:
    """What is set for all goes before the default, what is set for a device before that."""
    key = ("temperature", "warning")
    response = await client.put(f"{URL}/temperature/warning", json={"value": 60})
    assert response.json() == {
        "metric": "temperature",
        "severity": "warning",
        "value": 60,
        "source": "all",
    }
    assert (await in_force(client, OWN))[key] == (60, "all")
    await client.put(f"{OWN}/temperature/warning", json={"value": 50})
    await client.put(f"{OWN}/temperature/warning", json={"value": 55})
    assert (await in_force(client, OWN))[key] == (55, "device")
    assert (await in_force(client, URL))[key] == (60, "all")
    assert (await client.delete(f"{OWN}/temperature/warning")).status_code == 204
    assert (await in_force(client, OWN))[key] == (60, "all")
    assert (await client.delete(f"{URL}/temperature/warning")).status_code == 204
    assert (await in_force(client, OWN))[key] == (65, "default")
    assert (await client.delete(f"{URL}/temperature/warning")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("cpu_utilization/warning", {"value": 80}),
        ("cpu_utilization/warning", {"value": 0}),
        ("cpu_utilization/warning", {"value": 0.95}),
        ("temperature/critical", {"value": 65}),
        ("temperature/critical", {"value": 1000}),
        ("temperature/critical", {"value": "hot"}),
        ("temperature/critical", {"value": 90, "unit": "F"}),
        ("temperature/critical", {}),
        ("humidity/critical", {"value": 0.5}),
        ("temperature/emergency", {"value": 90}),
    ],
)
async def test_senseless_thresholds(client: AsyncClient, path: str, body: dict[str, Any]) -> None:
    """Percent for a ratio, warning at or above critical, unknown words: refused."""
    assert (await client.put(f"{URL}/{path}", json=body)).status_code == 422


async def test_taking_back_may_not_turn_the_order(client: AsyncClient) -> None:
    """Removing a threshold is refused when the default behind it would invert the pair."""
    await client.put(f"{URL}/temperature/critical", json={"value": 100})
    await client.put(f"{URL}/temperature/warning", json={"value": 90})
    assert (await client.delete(f"{URL}/temperature/critical")).status_code == 422
    assert (await in_force(client, URL))["temperature", "critical"] == (100, "all")


async def test_thresholds_go_with_their_device(client: AsyncClient, core1: None) -> None:  # noqa: ARG001
    """A device of the same name added later begins with the defaults."""
    await client.put(f"{OWN}/temperature/warning", json={"value": 50})
    await client.delete("/api/v1/devices/core1")
    assert (await client.get(OWN)).status_code == 404
    await client.post("/api/v1/devices", json={"name": "core1", "address": "10.0.0.1"})
    assert (await in_force(client, OWN))["temperature", "warning"] == (65, "default")
