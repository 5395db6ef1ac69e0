from collections.abc import AsyncIterator

import httpx
import pytest

from lab.app import create_app
from lab.server import Lab


@pytest.fixture
async def client(lab: Lab) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(lab))
    async with httpx.AsyncClient(transport=transport, base_url="http://lab") as running:
        yield running


async def test_healthy(client: httpx.AsyncClient) -> None:
    """A running lab says so."""
    response = await client.get("/-/healthy")

    assert (response.status_code, response.text) == (200, "Healthy\n")


async def test_devices(client: httpx.AsyncClient, lab: Lab) -> None:
    """Every device is listed with its address and whether it answers."""
    devices = {device["name"]: device for device in (await client.get("/devices")).json()}

    assert devices.keys() == lab.addresses.keys()
    assert devices["core1"]["address"] == lab.address("core1")
    assert devices["core1"]["port"] == lab.port
    assert devices["core1"]["answers"] is True


async def test_a_scenario_from_start_to_end(client: httpx.AsyncClient) -> None:
    """A scenario is started with arguments, listed while it lasts, and ended."""
    path = "/devices/access1/scenarios/link-down"
    started = await client.post(path, json={"port": "Te1/1/1", "duration": 60})
    listed = next(d for d in (await client.get("/devices")).json() if d["name"] == "access1")
    ended = await client.delete(path)
    again = await client.delete(path)

    assert started.status_code == 201
    assert started.json()["until"] == started.json()["since"] + 60
    assert [entry["scenario"] for entry in listed["scenarios"]] == ["link-down"]
    assert (ended.status_code, again.status_code) == (204, 404)


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("nix/scenarios/cpu-hot", "", 404, "no device 'nix'"),
        ("core1/scenarios/nix", "", 404, "no scenario 'nix'; there are device-down"),
        ("core1/scenarios/cpu-hot", '{"percent": 200}', 422, "cpu-hot: percent"),
        ("core1/scenarios/link-down", "", 422, "link-down: port: Field required"),
        ("core1/scenarios/cpu-hot", "[1]", 422, "the body must be a JSON object"),
        ("core1/scenarios/cpu-hot", "{", 422, "the body is not JSON"),
    ],
)
async def test_mistakes_have_a_status_and_a_reason(
    client: httpx.AsyncClient, path: str, body: str, status: int, detail: str
) -> None:
    """An unknown name is 404, a bad argument 422, and both say what is wrong."""
    response = await client.post(f"/devices/{path}", content=body)

    assert response.status_code == status
    assert response.json()["detail"].startswith(detail)


async def test_inventory(client: httpx.AsyncClient, lab: Lab) -> None:
    """The inventory names credentials, sites and devices with their next hops to the poller."""
    document = (await client.get("/inventory")).json()
    devices = {device["name"]: device for device in document["devices"]}

    assert document["credentials"] == [
        {"name": "lab", "kind": "snmp", "version": 2, "community": "public"}
    ]
    assert {site["name"] for site in document["sites"]} == {"demo", "bulk"}
    assert devices["core1"] == {
        "name": "core1",
        "address": lab.address("core1"),
        "port": lab.port,
        "site": "demo",
        "role": "core",
        "device_type": "dcs-7050sx-64",
        "platform": "arista",
        "credentials": ["lab"],
        "parents": ["router1"],
    }
    types = {entry["name"]: entry["manufacturer"] for entry in document["device_types"]}
    assert types["dcs-7050sx-64"] == "Arista"
    assert devices["access8"]["parents"] == ["dist1", "dist2"]
    assert devices["bulk0001"]["parents"] == []


async def test_overview(client: httpx.AsyncClient) -> None:
    """The front page names the devices and the scenarios."""
    page = (await client.get("/")).text

    assert "access8" in page
    assert "counter-wrap" in page
