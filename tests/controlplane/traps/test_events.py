"""Events: what exporters tell of traps, to each person of the devices that they see."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.traps import service as events
from tests.controlplane.conftest import Login, Service, Sessions

URL, TOLD = "/api/v1/events", "/api/v1/exporter/traps"
INVENTORY = {
    "sites": [{"name": "north"}, {"name": "south"}],
    "devices": [
        {"name": "n1", "address": "10.0.0.1", "site": "north"},
        {"name": "s1", "address": "10.0.0.2", "site": "south"},
    ],
}


def event(device: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "at": "2026-01-01T00:00:00Z",
        "device": device,
        "source": "10.0.0.1",
        "trap": "linkDown",
        "oid": "1.3.6.1.6.3.1.1.5.3",
        "severity": "warning",
        "text": f"port 7 of {device} is down",
        "varbinds": [{"oid": "1.3.6.1.2.1.2.2.1.1.7", "value": "7"}],
        **changed,
    }


@pytest.fixture
async def exporter(service: Service) -> AsyncClient:
    return await service(Permission.SNAPSHOT_READ)


async def tell(exporter: AsyncClient, *told: dict[str, Any]) -> None:
    response = await exporter.post(TOLD, json={"events": list(told)})
    assert response.status_code == 200, response.text
    assert response.json() == {"count": len(told)}


async def shown(client: AsyncClient, **query: Any) -> list[dict[str, Any]]:
    response = await client.get(URL, params=query)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["count"] == len(body["results"])
    results: list[dict[str, Any]] = body["results"]
    return results


async def test_told_twice(client: AsyncClient, exporter: AsyncClient) -> None:
    """An event is shown as it was told, and once, however often that was."""
    told = event("n1")
    await tell(exporter, told)
    await tell(exporter, told, event("n1", at="2025-01-01T00:00:00Z", trap="linkUp"))

    first, second = await shown(client)
    assert {name: first[name] for name in told} == told
    assert second["trap"] == "linkUp"


async def test_filters(client: AsyncClient, exporter: AsyncClient) -> None:
    """It is found by its device, its trap, its moment and the words that occur in it."""
    other = event("s1", trap="coldStart", text="has started anew", at="2026-02-01T00:00:00Z")
    await tell(exporter, event("n1"), other)

    for query in (
        {"device": "s1"},
        {"trap__ic": "cold"},
        {"at__gte": "2026-01-15T00:00:00Z"},
        {"q": "anew s1"},
    ):
        assert [e["id"] for e in await shown(client, **query)] == [other["id"]], query
    assert (await client.get(URL, params={"colour": "red"})).status_code == 422


async def test_what_one_may_see(client: AsyncClient, exporter: AsyncClient, log_in: Login) -> None:
    """Whoever sees one site hears of no other's traps, nor of a stranger's, nor how many."""
    await client.post("/api/v1/devices/import", json=INVENTORY)
    await tell(exporter, event("n1"), event("s1"), event(""), event("gone"))
    site = (await client.get("/api/v1/sites", params={"name": "north"})).json()["results"][0]
    scope = Scope(ScopeKind.SITE, site["id"])
    north = await log_in(Role.VIEWER, scope, name="north")

    assert {e["device"] for e in await shown(client)} == {"n1", "s1", "", "gone"}
    assert [e["device"] for e in await shown(north)] == ["n1"]
    assert (await exporter.get(URL)).status_code == 403
    assert (await client.post(TOLD, json={"events": []})).status_code == 403


async def test_who_takes_a_name(client: AsyncClient, exporter: AsyncClient, log_in: Login) -> None:
    """Another device of the same name shows nothing of what the removed one has sent."""
    await client.post("/api/v1/devices/import", json=INVENTORY)
    await tell(exporter, event("s1", text="of the old one"))
    assert (await client.delete("/api/v1/devices/s1")).status_code == 204
    taken = {"name": "s1", "address": "10.0.0.3", "site": "north"}
    assert (await client.post("/api/v1/devices", json=taken)).status_code == 201
    await tell(exporter, event("s1", text="of the new one"))
    site = (await client.get("/api/v1/sites/north")).json()["id"]
    north = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, site), name="north")

    assert [e["text"] for e in await shown(north)] == ["of the new one"]
    assert len(await shown(client)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "a\u0000b"},
        {"text": "\u202e"},
        {"oid": "1.3; DROP TABLE events"},
        {"source": "not an address"},
        {"colour": "red"},
        {"varbinds": [{"oid": "1.3", "value": "x" * 1001}]},
    ],
)
async def test_what_no_exporter_says(exporter: AsyncClient, wrong: dict[str, Any]) -> None:
    """Text that is not printable, oversized or no field of an event is refused whole."""
    response = await exporter.post(TOLD, json={"events": [event("n1", **wrong)]})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"].startswith("/events/0")


async def test_forgotten(client: AsyncClient, exporter: AsyncClient, sessions: Sessions) -> None:
    """Events are kept as long as the settings say."""
    await tell(exporter, event("n1"))
    async with sessions.begin() as session:
        await events.forget(session, timedelta(hours=1))
    assert await shown(client)
    async with sessions.begin() as session:
        await events.forget(session, timedelta(0))
    assert not await shown(client)
