"""The scrape of intent."""

import threading
from collections.abc import Iterator

from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events
from controlplane.app import INTENT
from controlplane.auth.permissions import Permission
from controlplane.metrics import intent
from controlplane.metrics.exposition import Family, Sample
from tests.controlplane.conftest import Service, Sessions
from tests.controlplane.devices.interfaces.telling import learn, port
from tests.controlplane.devices.test_import import DOCUMENT

URL = "/metrics/intent"
Series = tuple[str, frozenset[tuple[str, str]]]


async def scrape(client: AsyncClient) -> dict[Series, float]:
    response = await client.get(URL)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def series(name: str, **labels: str) -> Series:
    return name, frozenset(labels.items())


async def test_what_should_be_so(client: AsyncClient, service: Service) -> None:
    """Monitored devices with their labels, the way to them, and their thresholds."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    own = {"scope": "device", "device": "core1", "metric": "temperature"}
    await client.post("/api/v1/thresholds", json={**own, "warning": 50, "critical": 80})
    planned = {"name": "new1", "address": "10.0.0.9", "status": "planned", "parents": ["core1"]}
    await client.post("/api/v1/devices", json=planned)
    samples = await scrape(await service(Permission.INTENT_READ))

    info = "chm_inventory_device_info"
    core = series(info, device="core1", site="demo", role="core", vendor="Arista", team="none")
    assert {key for key in samples if key[0] == info} == {
        core,
        series(info, device="router1", team="none"),
    }
    assert {key for key in samples if key[0] == "chm_topology_parent"} == {
        series("chm_topology_parent", device="core1", parent="router1")
    }
    assert sum(key[0] == "chm_threshold_common" for key in samples) == 18
    warm, hot = ({"metric": "temperature", "severity": each} for each in ("warning", "critical"))
    assert samples[series("chm_threshold_common", **warm)] == 65
    assert {key: value for key, value in samples.items() if key[0] == "chm_threshold"} == {
        series("chm_threshold", device="core1", **warm): 50,
        series("chm_threshold", device="core1", **hot): 80,
    }


async def test_the_thresholds_of_most_devices(client: AsyncClient, service: Service) -> None:
    """What most devices have is told once, whoever set it, and of the others alone what differs."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    await client.post("/api/v1/devices", json={"name": "core2", "address": "10.0.0.9"})
    everywhere = {"scope": "all", "metric": "temperature", "warning": 30, "critical": 40}
    await client.post("/api/v1/thresholds", json=everywhere)
    own = {"scope": "device", "metric": "temperature", "warning": 50, "critical": 60}
    for name in ("core1", "core2"):
        await client.post("/api/v1/thresholds", json={**own, "device": name})
    samples = await scrape(await service(Permission.INTENT_READ))

    told = {key: value for key, value in samples.items() if key[0].startswith("chm_threshold")}
    warm, hot = ({"metric": "temperature", "severity": each} for each in ("warning", "critical"))
    assert told[series("chm_threshold_common", **warm)] == 50
    assert {key: value for key, value in told.items() if key[0] == "chm_threshold"} == {
        series("chm_threshold", device="router1", **warm): 30,
        series("chm_threshold", device="router1", **hot): 40,
    }


async def test_interfaces(client: AsyncClient, service: Service, sessions: Sessions) -> None:
    """Interfaces about which an operator decided, at once; of the others there is nothing."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    hostile = 'Gi1/0/1"} 1'
    told = [port("core1", name, n) for n, name in enumerate((hostile, "Gi2", "Gi3"), 1)]
    await learn(sessions, *told)
    prometheus = await service(Permission.INTENT_READ)
    name = "chm_interface_monitored"
    assert [key for key in await scrape(prometheus) if key[0] == name] == []

    rows = [
        {"device": "core1", "name": hostile, "monitored": "yes", "importance": "critical"},
        {"device": "core1", "name": "Gi2", "monitored": "no"},
        {"device": "core1", "name": "Gi3", "importance": "low"},
    ]
    assert (await client.patch("/api/v1/interfaces", json=rows)).status_code == 200
    samples = await scrape(prometheus)
    assert {key: value for key, value in samples.items() if key[0] == name} == {
        series(name, device="core1", ifName=hostile, importance="critical"): 1,
        series(name, device="core1", ifName="Gi2", importance="normal"): 0,
    }
    await client.patch("/api/v1/devices/core1", json={"status": "planned"})
    assert [key for key in await scrape(prometheus) if key[0] == name] == []


async def test_a_parent_nobody_asks_is_no_way(client: AsyncClient, service: Service) -> None:
    """A decommissioned parent cannot be seen to be down, so it must not count as an alternative."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    await client.patch("/api/v1/devices/router1", json={"status": "decommissioned"})
    samples = await scrape(await service(Permission.INTENT_READ))
    assert not [key for key in samples if key[0] == "chm_topology_parent"]


async def test_a_change_by_another_process_is_seen(
    sessions: Sessions, service: Service, client: AsyncClient
) -> None:
    """What is kept is built anew when the count in the database moves, whoever moved it."""
    prometheus = await service(Permission.INTENT_READ)
    other = events.Cache(intent.collect(INTENT))
    before = await scrape(prometheus)
    async with sessions() as session:
        empty = await other.get(session)
    await client.post("/api/v1/devices", json={"name": "a", "address": "10.0.0.1"})
    async with sessions() as session:
        assert await other.get(session) != empty
    # One device, and the eighteen thresholds that it has as all do.
    assert len(await scrape(prometheus)) == len(before) + 19


async def test_it_is_built_once_per_change(sessions: Sessions) -> None:
    """Scrapes between two changes cost one query; a change that was rolled back is none."""
    built = []

    async def source(session: AsyncSession) -> list[Family]:
        assert session
        built.append(1)
        return [Family("chm_x", "X.", [Sample(len(built))])]

    cache = events.Cache(intent.collect([source]))
    for _ in range(3):
        async with sessions() as session:
            assert b"chm_x{} 1\n" in await cache.get(session)
    async with sessions() as session:
        await events.changed(session)
        await session.rollback()
    async with sessions() as session:
        assert b"chm_x{} 1\n" in await cache.get(session)
    async with sessions.begin() as session:
        await events.changed(session)
    async with sessions() as session:
        assert b"chm_x{} 2\n" in await cache.get(session)


async def test_it_is_written_beside_the_loop(sessions: Sessions) -> None:
    """Many megabytes are written in a thread of their own; others are answered meanwhile."""
    threads = []

    def samples() -> Iterator[Sample]:
        threads.append(threading.current_thread())
        yield Sample(1)

    async def source(_session: AsyncSession) -> list[Family]:
        return [Family("chm_x", "X.", samples())]

    async with sessions() as session:
        assert b"chm_x{} 1\n" in await intent.collect([source])(session)
    assert threads
    assert threading.current_thread() not in threads
