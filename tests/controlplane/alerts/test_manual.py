"""Alerts made by hand and by programs, on a real Alertmanager."""

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, ConnectError

from controlplane.alerts.fingerprints import fingerprint
from controlplane.alerts.watch import Holder
from controlplane.auth.permissions import Permission
from controlplane.clients.alertmanager import fake
from controlplane.database import now
from tests.controlplane.alerts.conftest import URL, Stack
from tests.controlplane.alerts.test_handling import INVENTORY
from tests.controlplane.alerts.test_webhook import alert, send
from tests.controlplane.conftest import Service

FLOOD: dict[str, Any] = {
    "alertname": "Flood",
    "severity": "critical",
    "device": "core1",
    "labels": {"room": "B 12"},
    "summary": "water in the room",
}


@pytest.fixture
async def inventory(client: AsyncClient) -> None:
    """Have two devices."""
    assert (await client.post("/api/v1/devices/import", json=INVENTORY)).status_code == 200


async def held(stack: Stack) -> dict[str, dict[str, str]]:
    return {a.fingerprint: dict(a.labels) for a in await stack.alertmanager.alerts()}


@pytest.mark.usefixtures("inventory")
class TestMade:
    async def test_it_goes_through_alertmanager(self, stack: Stack) -> None:
        """With the labels of its device as rules have them, so that routes know what to do."""
        answer = await stack.client.post(URL, json=FLOOD)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert (made["state"], made["made_by"], made["site"]) == ("active", "admin", "north")
        assert await held(stack) == {
            made["fingerprint"]: {
                "alertname": "Flood",
                "severity": "critical",
                "device": "core1",
                "site": "north",
                "role": "core",
                "team": "none",
                "room": "B 12",
                "source": "manual",
            }
        }

    async def test_the_same_labels_are_the_same_alert(self, stack: Stack) -> None:
        """A program that tells it every minute has one alert, with the words it said last."""
        first = (await stack.client.post(URL, json=FLOOD)).json()
        again = await stack.client.post(URL, json=FLOOD | {"summary": "rising"})
        assert (again.status_code, again.json()["id"]) == (200, first["id"])
        assert again.json()["annotations"]["summary"] == "rising"
        await stack.watch()
        (only,) = await stack.alerts()
        assert await stack.steps(only) == ["fired"]

    async def test_it_is_kept_alive_and_resolved(self, stack: Stack) -> None:
        """A new Alertmanager hears of it; it is over when somebody says so, and is told again."""
        made = (await stack.client.post(URL, json=FLOOD)).json()
        await stack.kill()
        await stack.start()
        assert await held(stack) == {}
        await stack.watch()
        assert list(await held(stack)) == [made["fingerprint"]]
        assert await stack.states() == ["active"]
        url = f"{URL}/{made['id']}/resolve"
        over = (await stack.client.post(url, json={"comment": "dry"})).json()
        assert (over["state"], over["status"]) == ("resolved", "resolved")
        assert await held(stack) == {}
        await stack.watch()
        assert await stack.states() == ["resolved"]
        assert (await stack.client.post(url, json={})).status_code == 409
        assert (await stack.client.post(URL, json=FLOOD)).status_code == 201
        assert await stack.states() == ["resolved", "active"]

    async def test_alertmanager_was_away_when_it_was_resolved(self, stack: Stack) -> None:
        """It is not reopened by what Alertmanager still believes, and that is put right."""
        made = (await stack.client.post(URL, json=FLOOD)).json()
        elsewhere = fake({("POST", "/alerts"): ConnectError("away")})
        ours, stack.app.state.alerts = stack.app.state.alerts, Holder(stack.sessions, elsewhere)
        await stack.client.post(f"{URL}/{made['id']}/resolve", json={})
        stack.app.state.alerts = ours
        assert len(await held(stack)) == 1
        await stack.watch()
        assert await stack.states() == ["resolved"]
        assert await held(stack) == {}

    async def test_it_ends_by_itself(self, stack: Stack) -> None:
        """At the moment it was given."""
        until = now() + timedelta(seconds=1)
        made = (await stack.client.post(URL, json=FLOOD | {"until": until.isoformat()})).json()
        await stack.watch(times=1)
        while now() < until:
            await stack.watch(times=1)
        await stack.watch(times=1)
        (over,) = await stack.alerts()
        assert over["state"] == "resolved"
        assert over["ends_at"][:22] == made["until"][:22]

    async def test_acknowledged_as_any_other(self, stack: Stack) -> None:
        """Its silence ends with it."""
        made = (await stack.client.post(URL, json=FLOOD)).json()
        await stack.client.post(f"{URL}/{made['id']}/acknowledge", json={})
        assert len(await stack.silences()) == 1
        await stack.client.post(f"{URL}/{made['id']}/resolve", json={})
        assert await stack.silences() == []


@pytest.mark.usefixtures("inventory")
class TestRefused:
    @pytest.mark.parametrize(
        "changes",
        [
            {"alertname": "Device Down"},
            {"alertname": "Down\n"},
            {"severity": "none"},
            {"summary": ""},
            {"device": "Core 1"},
            {"labels": {"alertclass": "symptom"}},
            {"labels": {"source": "rule"}},
            {"labels": {"escalation": "true"}},
            {"labels": {"chm_message": "1"}},
            {"labels": {"site": "south"}},
            {"labels": {"__name__": "x"}},
            {"labels": {"a-b": "x"}},
            {"labels": {"a": ""}},
            {"labels": {"a": "x\ny"}},
            {"labels": {"a": "x" * 256}},
            {"labels": {f"l{i}": "x" for i in range(21)}},
            {"until": "2020-01-01T00:00:00Z"},
            {"fingerprint": "00"},
        ],
    )
    async def test_what_is_no_alert(self, client: AsyncClient, changes: dict[str, Any]) -> None:
        """Labels that would mute, route or name it otherwise, and texts that are none."""
        answer = await client.post(URL, json=FLOOD | changes)
        assert answer.status_code == 422, answer.text
        assert (await client.get(URL)).json()["count"] == 0

    async def test_an_unknown_device(self, client: AsyncClient) -> None:
        """An alert about a device is about one that is there."""
        assert (await client.post(URL, json=FLOOD | {"device": "core9"})).status_code == 404

    async def test_the_alert_of_a_rule_is_not_resolved_by_hand(
        self, client: AsyncClient, service: Service
    ) -> None:
        """It is the network that says when it is over, and the refusal says so."""
        await send(await service(Permission.ALERTS_INGEST), alert())
        (one,) = (await client.get(URL)).json()["results"]
        answer = await client.post(f"{URL}/{one['id']}/resolve", json={})
        assert answer.status_code == 409
        assert "rule" in answer.json()["detail"]


async def test_one_by_hand_is_ended_by_us_alone(client: AsyncClient, service: Service) -> None:
    """Alertmanager forgets what it is not told of; while we were away that means nothing."""
    made = (await client.post(URL, json={**FLOOD, "device": None})).json()
    labels = {"alertname": "Flood", "severity": "critical", "room": "B 12", "source": "manual"}
    assert made["fingerprint"] == fingerprint(labels)
    over = alert(
        "resolved",
        labels=labels,
        fingerprint=made["fingerprint"],
        startsAt=made["starts_at"],
        endsAt=now().isoformat(),
    )
    await send(await service(Permission.ALERTS_INGEST), over)
    (one,) = (await client.get(URL)).json()["results"]
    assert one["state"] == "active"
