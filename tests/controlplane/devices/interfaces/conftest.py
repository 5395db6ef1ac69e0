"""An inventory whose switch has interfaces."""

import pytest
from httpx import AsyncClient

from tests.controlplane.conftest import Sessions
from tests.controlplane.devices.interfaces.telling import learn, port

DEVICES = "/api/v1/devices"


@pytest.fixture
async def switch(client: AsyncClient) -> AsyncClient:
    """Give a client of an inventory with one device, which has told nothing yet."""
    await client.post("/api/v1/sites", json={"name": "north"})
    device = {"name": "sw1", "address": "10.0.0.1", "site": "north"}
    assert (await client.post(DEVICES, json=device)).status_code == 201
    return client


@pytest.fixture
async def ports(switch: AsyncClient, sessions: Sessions) -> AsyncClient:
    """Give a client of an inventory whose switch has told of three interfaces."""
    await learn(
        sessions,
        port("sw1", "Gi1/0/1", 1, alias="uplink", type="ethernetCsmacd", mac="AA:BB:CC:00:00:01"),
        port("sw1", "Gi1/0/2", 2, oper=2),
        port("sw1", "Te1/1/1", 3, mbits=10_000, alias="core"),
    )
    return switch
