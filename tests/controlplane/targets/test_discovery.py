"""Service discovery for Prometheus."""

import pytest
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from controlplane.auth.permissions import Permission
from controlplane.targets import discovery, sharding
from tests.controlplane.conftest import Service
from tests.controlplane.devices.test_import import DOCUMENT

URL = "/api/v1/targets/0"


async def test_the_list(client: AsyncClient, service: Service) -> None:
    """Targets are names with few labels; empty labels, addresses and secrets are left out."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    prometheus = await service(Permission.TARGETS_READ)
    response = await prometheus.get(URL)
    assert response.headers["content-type"] == "application/json"
    assert response.json() == [
        {
            "targets": ["core1"],
            "labels": {
                "device": "core1",
                "site": "demo",
                "role": "core",
                "vendor": "Arista",
                "__meta_chm_exporter": "127.0.0.1:9116",
                "__scrape_interval__": "15s",
                "__scrape_timeout__": "14s",
            },
        },
        {
            "targets": ["router1"],
            "labels": {
                "device": "router1",
                "__meta_chm_exporter": "127.0.0.1:9116",
                "__scrape_interval__": "15s",
                "__scrape_timeout__": "14s",
            },
        },
    ]
    assert "127.0.1" not in response.text
    assert "s3cret" not in response.text


async def test_only_monitored_devices(client: AsyncClient, service: Service) -> None:
    """Active devices and those in maintenance are asked, planned and decommissioned ones not."""
    for status in ("active", "planned", "maintenance", "decommissioned"):
        device = {"name": status, "address": "10.0.0.1", "status": status}
        await client.post("/api/v1/devices", json=device)
    targets = (await (await service(Permission.TARGETS_READ)).get(URL)).json()
    assert [group["targets"] for group in targets] == [["active"], ["maintenance"]]


async def test_the_list_follows_the_inventory(client: AsyncClient, service: Service) -> None:
    """What has changed is another group at the next refresh, and what has not is as it was."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    prometheus = await service(Permission.TARGETS_READ)
    core, router = (await prometheus.get(URL)).json()
    assert (await client.post("/api/v1/device-roles", json={"name": "edge"})).status_code == 201
    changed = await client.patch("/api/v1/devices/core1", json={"role": "edge"})
    assert changed.status_code == 200, changed.text
    assert (await prometheus.get(URL)).json() == [
        {**core, "labels": {**core["labels"], "role": "edge"}},
        router,
    ]


async def test_an_empty_inventory_is_an_empty_list(client: AsyncClient, service: Service) -> None:
    """When the last device is removed, Prometheus stops asking it."""
    prometheus = await service(Permission.TARGETS_READ)
    await client.post("/api/v1/devices", json={"name": "a", "address": "10.0.0.1"})
    assert len((await prometheus.get(URL)).json()) == 1
    await client.delete("/api/v1/devices/a")
    assert (await prometheus.get(URL)).json() == []


async def test_an_unknown_shard(service: Service) -> None:
    """A shard that does not exist is not an empty list."""
    prometheus = await service(Permission.TARGETS_READ)
    assert (await prometheus.get("/api/v1/targets/1")).status_code == 404
    assert (await prometheus.get("/api/v1/targets/x")).status_code == 422


async def test_a_broken_table_fails_closed(
    client: AsyncClient, service: Service, owner: AsyncEngine
) -> None:
    """When the inventory cannot be read the answer is an error, which keeps the old targets."""
    await client.post("/api/v1/devices", json={"name": "a", "address": "10.0.0.1"})
    prometheus = await service(Permission.TARGETS_READ)
    async with owner.begin() as connection:
        await connection.execute(text("ALTER TABLE sites RENAME TO elsewhere"))
    try:
        response = await prometheus.get(URL)
    finally:
        async with owner.begin() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO sites"))
    assert response.status_code == 500
    assert (await prometheus.get(URL)).status_code == 200


@pytest.mark.parametrize(
    ("interval", "written", "timeout"),
    [(15, "15s", "14s"), (60, "60s", "59s"), (1, "1s", "900ms"), (2.5, "2500ms", "2250ms")],
)
def test_durations(interval: float, written: str, timeout: str) -> None:
    """A scrape always ends before the next one begins."""
    assert discovery.duration(interval) == written
    assert discovery.duration(discovery.timeout(interval)) == timeout


def test_a_class_beyond_the_longest_interval_is_held_to_it() -> None:
    """Where the setting became less than a class says, rules still get their samples."""
    times = {"__scrape_interval__": "15s", "__scrape_timeout__": "14s"}
    assert discovery.scrape_times(15, 60, 59) == times


def test_rendezvous_moves_only_what_it_must() -> None:
    """A fourth exporter takes about a quarter of the devices and moves no other."""
    devices = [f"d{i}" for i in range(2000)]
    three, four = ["a:1", "b:1", "c:1"], ["a:1", "b:1", "c:1", "d:1"]
    before = {device: sharding.choose(device, three) for device in devices}
    after = {device: sharding.choose(device, four) for device in devices}
    moved = [device for device in devices if before[device] != after[device]]
    assert {after[device] for device in moved} == {"d:1"}
    assert 400 < len(moved) < 600
    for member in three:
        assert 560 < list(before.values()).count(member) < 780
