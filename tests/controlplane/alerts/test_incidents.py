"""Alerts of one cause, on a real Alertmanager."""

from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from tests.controlplane.alerts.conftest import URL, Stack
from tests.controlplane.conftest import Login

INCIDENTS = "/api/v1/incidents"
INVENTORY = {
    "sites": [{"name": "north"}, {"name": "south"}],
    "devices": [
        {"name": "core1", "address": "10.0.0.1", "site": "north"},
        *(
            {"name": f"acc{i}", "address": f"10.0.1.{i}", "site": "south", "parents": ["core1"]}
            for i in range(1, 4)
        ),
    ],
}


@pytest.fixture
async def outage(client: AsyncClient, stack: Stack) -> Stack:
    """Have a core switch die with three devices behind it, as rules tell it."""
    assert (await client.post("/api/v1/devices/import", json=INVENTORY)).status_code == 200
    for i in range(1, 4):
        await stack.fire("DeviceUnreachable", f"acc{i}", alertclass="symptom", severity="none")
    await stack.fire("CpuHigh", "acc1", alertclass="symptom")
    await stack.fire("DeviceDown", "core1", alertclass="cause", site="north")
    await stack.fire("PowerSupplyFailed", "other1", alertclass="cause")
    await stack.watch()
    return stack


async def incidents(client: AsyncClient, query: str = "") -> list[dict[str, Any]]:
    response = await client.get(f"{INCIDENTS}?{query}")
    results: list[dict[str, Any]] = response.json()["results"]
    return results


async def test_the_cause_is_named_with_its_symptoms(client: AsyncClient, outage: Stack) -> None:
    """One incident: the device that is down, and all that is behind it or because of it."""
    (incident,) = await incidents(client, "open=true")
    assert (incident["cause"]["alertname"], incident["cause"]["device"]) == ("DeviceDown", "core1")
    assert incident["symptoms"] == 4
    assert incident["opened_at"] == incident["cause"]["starts_at"]
    assert (await client.get(f"{INCIDENTS}/{incident['id']}")).json() == incident
    roots = await outage.alerts("root=true&ordering=alertname")
    assert [alert["alertname"] for alert in roots] == ["DeviceDown", "PowerSupplyFailed"]
    assert [alert["incident"] and alert["incident"]["symptoms"] for alert in roots] == [4, None]
    (cpu,) = await outage.alerts("alertname=CpuHigh")
    assert cpu["state"] == "suppressed"
    assert cpu["incident"]["is_cause"] is False
    assert (cpu["incident"]["cause"], cpu["incident"]["device"]) == ("DeviceDown", "core1")
    assert len(await outage.alerts(f"incident={incident['id']}")) == 5


async def test_looking_again_changes_nothing(client: AsyncClient, outage: Stack) -> None:
    """Each symptom is attached once."""
    before = await incidents(client)
    await outage.watch(times=3)
    assert await incidents(client) == before
    (cpu,) = await outage.alerts("alertname=CpuHigh")
    assert (await outage.steps(cpu)).count("correlated") == 1


async def test_it_is_over_with_the_last_of_its_alerts(client: AsyncClient, outage: Stack) -> None:
    """While a symptom still fires the incident is open, and it ends when that did."""
    await outage.end("DeviceDown", "core1")
    for name in ("acc1", "acc2", "acc3"):
        await outage.end("DeviceUnreachable", name)
    await outage.watch()
    (incident,) = await incidents(client, "open=true")
    await outage.end("CpuHigh", "acc1")
    await outage.watch()
    assert await incidents(client, "open=true") == []
    (incident,) = await incidents(client, "open=false")
    (cpu,) = await outage.alerts("alertname=CpuHigh")
    assert incident["closed_at"] == cpu["ends_at"]


async def test_a_new_outage_is_a_new_incident(client: AsyncClient, outage: Stack) -> None:
    """What still fires of the old one moves to the cause that is there now."""
    await outage.end("DeviceDown", "core1")
    await outage.watch()
    await outage.fire("DeviceDown", "core1", alertclass="cause", site="north")
    await outage.watch()
    old, new = await incidents(client, "ordering=opened_at")
    assert (old["symptoms"], new["symptoms"]) == (0, 4)
    assert old["closed_at"] is not None
    assert new["closed_at"] is None


async def test_a_cause_out_of_sight(client: AsyncClient, outage: Stack, log_in: Login) -> None:
    """Whoever sees the symptoms alone learns that there is a cause, and not which."""
    site = (await client.get("/api/v1/sites/south")).json()["id"]
    south = await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site), name="south")
    (incident,) = await incidents(south)
    assert (incident["cause"], incident["symptoms"]) == (None, 4)
    shown = (await south.get(f"{URL}?alertname=CpuHigh")).json()["results"][0]["incident"]
    assert (shown["cause_id"], shown["cause"], shown["device"]) == (None, None, None)
    assert "core1" not in (await south.get(INCIDENTS)).text
    nowhere = await log_in(Role.OPERATOR, Scope(ScopeKind.TAG, "none"), name="nowhere")
    assert await incidents(nowhere) == []
    assert (await nowhere.get(f"{INCIDENTS}/{incident['id']}")).status_code == 404
    assert (await client.get(f"{INCIDENTS}/{uuid4()}")).status_code == 404
    assert outage
