"""Inboxes: what Alertmanager told, to each person of what they may hear of."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from tests.controlplane.conftest import Login, Service

URL = "/api/v1/notifications"
INVENTORY = {
    "sites": [{"name": "north"}, {"name": "south"}],
    "devices": [
        {"name": "n1", "address": "10.0.0.1", "site": "north"},
        {"name": "s1", "address": "10.0.0.2", "site": "south"},
    ],
}


def alert(device: str, **changed: Any) -> dict[str, Any]:
    labels = {"alertname": "DeviceDown", "severity": "critical", "device": device, "site": "x"}
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": f"{device} is down"},
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": f"{sum(map(ord, device)):x}",
        **changed,
    }


@pytest.fixture
async def alertmanager(service: Service) -> AsyncClient:
    return await service(Permission.ALERTS_INGEST)


async def tell(alertmanager: AsyncClient, *alerts: dict[str, Any]) -> None:
    response = await alertmanager.post(
        f"{URL}/inbox", json={"version": "4", "alerts": list(alerts), "receiver": "people"}
    )
    assert response.status_code == 200, response.text


async def shown(client: AsyncClient, **query: Any) -> list[dict[str, Any]]:
    response = await client.get(URL, params=query)
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


async def test_an_outage_is_one_notice(client: AsyncClient, alertmanager: AsyncClient) -> None:
    """Told, told again, ended, and told late: one line, with its end."""
    over = alert("n1", status="resolved", endsAt="2026-01-01T01:00:00Z")
    for told in (alert("n1"), alert("n1"), over, alert("n1"), over):
        await tell(alertmanager, told)

    (notice,) = await shown(client)
    assert notice["summary"] == "n1 is down"
    assert notice["ends_at"] == "2026-01-01T01:00:00Z"


async def test_the_value_is_as_it_was_told_last(
    client: AsyncClient, alertmanager: AsyncClient
) -> None:
    """What was measured, and the threshold, stand in the inbox; before there were any, nothing."""
    await tell(alertmanager, alert("n1"))
    (notice,) = await shown(client)
    assert (notice["value"], notice["threshold"]) == ("", "")
    for value in ("96%", "97%"):
        figures = {"summary": "busy", "value": value, "threshold": "95%"}
        await tell(alertmanager, alert("n1", annotations=figures))

    (notice,) = await shown(client)
    assert (notice["value"], notice["threshold"]) == ("97%", "95%")


async def test_the_same_in_any_order(client: AsyncClient, alertmanager: AsyncClient) -> None:
    """Replicas of Alertmanager that tell the same at once, in other orders, are all heard."""
    told = [alert(f"d{number:03}", fingerprint=f"{number:x}") for number in range(200)]
    orders = [told, told[::-1]] * 5
    await asyncio.gather(*(tell(alertmanager, *order) for order in orders))
    assert (await client.get(URL)).json()["count"] == len(told)


async def test_tests_of_channels_are_no_news(
    client: AsyncClient, alertmanager: AsyncClient
) -> None:
    """A test of a channel is not an outage."""
    await tell(alertmanager, alert("n1", labels={"alertname": "ChannelTest"}))
    assert await shown(client) == []


async def test_each_reads_their_own(
    client: AsyncClient, alertmanager: AsyncClient, log_in: Login
) -> None:
    """A person hears of what they may see, and what one has read another has not."""
    assert (await client.post("/api/v1/devices/import", json=INVENTORY)).status_code == 200
    site = (await client.get("/api/v1/sites/north")).json()["id"]
    north = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, site), name="north")
    await tell(alertmanager, alert("n1"), alert("s1"))

    (seen,) = await shown(north)
    hidden = next(n["id"] for n in await shown(client) if n["device"] == "s1")
    assert (seen["device"], seen["read"]) == ("n1", False)
    assert (await north.post(f"{URL}/{hidden}/read")).status_code == 404
    assert (await north.post(f"{URL}/{seen['id']}/read")).status_code == 204

    assert await shown(north, read=False) == []
    assert len(await shown(client, read=False)) == 2
    assert (await client.post(f"{URL}/read")).json() == {"count": 2}
    assert (await client.post(f"{URL}/read")).json() == {"count": 0}
    assert [n["read"] for n in await shown(client, read=True)] == [True, True]
