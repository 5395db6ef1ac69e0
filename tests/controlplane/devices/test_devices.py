"""Devices over HTTP."""

from httpx import AsyncClient

CORE = {"name": "core1", "address": "127.0.1.11", "port": 1161, "vendor": "Arista"}


async def test_a_device_is_added_and_read(client: AsyncClient) -> None:
    """What was put in comes out, with defaults for the rest."""
    created = await client.post("/api/v1/devices", json=CORE)
    assert created.status_code == 201, created.text
    read = await client.get("/api/v1/devices/core1")
    assert read.json() == created.json()
    assert read.json()["status"] == "active"
