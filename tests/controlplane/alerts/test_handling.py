"""What people do with alerts, over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import select
from sqlmodel import col

from controlplane.audit.models import AuditEntry
from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.database import now
from tests.controlplane.alerts.test_webhook import URL, alert, send
from tests.controlplane.conftest import Login, Service, Sessions

HOUR = timedelta(hours=1)
UNKNOWN = UUID(int=0)
INVENTORY = {
    "sites": [{"name": "north"}, {"name": "south"}],
    "device_roles": [{"name": "core"}],
    "devices": [
        {"name": "core1", "address": "10.0.0.1", "site": "north", "role": "core"},
        {"name": "core2", "address": "10.0.0.2", "site": "south"},
    ],
}


def fired(device: str = "core1", **changes: Any) -> dict[str, Any]:
    labels = {"alertname": "DeviceDown", "severity": "critical", "device": device, "site": "north"}
    fingerprint = changes.pop("fingerprint", device.encode().hex())
    return alert(labels=labels | changes.pop("labels", {}), fingerprint=fingerprint, **changes)


@pytest.fixture
async def alertmanager(service: Service) -> AsyncClient:
    return await service(Permission.ALERTS_INGEST)


@pytest.fixture
async def ids(client: AsyncClient, alertmanager: AsyncClient) -> dict[str, str]:
    """Have an alert fire on each of two devices; give their ids by device."""
    answer = await client.post("/api/v1/devices/import", json=INVENTORY)
    assert answer.status_code == 200, answer.text
    await send(alertmanager, fired("core1"), fired("core2", labels={"site": "south"}))
    results = (await client.get(URL)).json()["results"]
    return {result["device"]: result["id"] for result in results}


async def history(client: AsyncClient, alert_id: str) -> list[tuple[str, str, str]]:
    steps = (await client.get(f"{URL}/{alert_id}/history")).json()
    return [(step["step"], step["actor_name"], step["comment"]) for step in steps]


async def audited(sessions: Sessions, alert_id: str) -> list[tuple[str, Any]]:
    async with sessions() as session:
        entries = await session.scalars(
            select(AuditEntry)
            .where(col(AuditEntry.object_id) == alert_id)
            .order_by(col(AuditEntry.seq))
        )
        return [(entry.actor_name, entry.after) for entry in entries]


class TestAcknowledge:
    async def test_who_when_and_why(
        self, client: AsyncClient, ids: dict[str, str], sessions: Sessions
    ) -> None:
        """It is in the alert, its history and the audit log, and so is taking it back."""
        url = f"{URL}/{ids['core1']}/acknowledge"
        expires = (now() + HOUR).isoformat()
        answer = await client.post(url, json={"comment": "on my way", "expires_at": expires})
        shown = answer.json()
        assert shown["state"] == "acknowledged"
        assert shown["acknowledgement"]["by"] == "admin"
        assert shown["acknowledgement"]["comment"] == "on my way"
        assert (await client.delete(url)).json()["acknowledgement"] is None
        assert await history(client, ids["core1"]) == [
            ("fired", "alerts", ""),
            ("acknowledged", "admin", "on my way"),
            ("unacknowledged", "admin", ""),
        ]
        (who, after), (_, back) = await audited(sessions, ids["core1"])
        assert (who, after["acknowledged_by"]) == ("admin", "admin")
        assert back["acknowledged_by"] == ""
        assert (await client.delete(url)).status_code == 409

    async def test_many_at_once_or_none(self, client: AsyncClient, ids: dict[str, str]) -> None:
        """One that is not there, and none is acknowledged."""
        wrong = {"ids": [ids["core1"], str(uuid4())]}
        assert (await client.post(f"{URL}/acknowledge", json=wrong)).status_code == 404
        assert (await client.get(f"{URL}?state=active")).json()["count"] == 2
        both = {"ids": list(ids.values()), "comment": "storm"}
        answer = await client.post(f"{URL}/acknowledge", json=both)
        assert [one["id"] for one in answer.json()] == list(ids.values())
        assert (await client.get(f"{URL}?state=acknowledged")).json()["count"] == 2

    async def test_what_is_over(
        self, client: AsyncClient, alertmanager: AsyncClient, ids: dict[str, str]
    ) -> None:
        """Nobody can have what is over, and what was acknowledged stays written down."""
        url = f"{URL}/{ids['core1']}/acknowledge"
        await client.post(url, json={})
        await send(
            alertmanager,
            fired("core1", status="resolved") | {"endsAt": alert("resolved")["endsAt"]},
        )
        shown = (await client.get(f"{URL}/{ids['core1']}")).json()
        assert (shown["state"], shown["acknowledgement"]["by"]) == ("resolved", "admin")
        assert (await client.post(url, json={})).status_code == 409

    @pytest.mark.parametrize(
        "body",
        [
            {"expires_at": "2020-01-01T00:00:00Z"},
            {"expires_at": "2030-01-01T00:00:00"},
            {"comment": "x" * 1001},
            {"coment": "x"},
        ],
    )
    async def test_refused(
        self, client: AsyncClient, ids: dict[str, str], body: dict[str, Any]
    ) -> None:
        """An end in the past or of no time zone, too many words, and what means nothing."""
        answer = await client.post(f"{URL}/{ids['core1']}/acknowledge", json=body)
        assert answer.status_code == 422


class TestScope:
    @pytest.fixture
    async def north(self, client: AsyncClient, log_in: Login) -> AsyncClient:
        """Give somebody who operates one site."""
        site = (await client.get("/api/v1/sites/north")).json()["id"]
        return await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site), name="north")

    async def test_alerts_elsewhere_are_not_there(
        self, ids: dict[str, str], north: AsyncClient
    ) -> None:
        """Neither by id, nor in bulk, nor in statistics."""
        there = f"{URL}/{ids['core2']}"
        for method, path, body in (
            ("GET", "", None),
            ("GET", "/history", None),
            ("POST", "/acknowledge", {}),
            ("DELETE", "/acknowledge", None),
            ("PUT", "/assignee", {"assignee": None}),
            ("POST", "/comments", {"comment": "hello"}),
            ("POST", "/resolve", {}),
        ):
            answer = await north.request(method, there + path, json=body)
            assert answer.status_code == 404, (method, path, answer.text)
        many = await north.post(f"{URL}/acknowledge", json={"ids": list(ids.values())})
        assert many.status_code == 404
        statistics = (await north.get(f"{URL}/statistics?since=2026-01-01T00:00:00Z")).json()
        assert (statistics["firing"], statistics["total"]) == (1, 1)
        assert statistics["by_site"] == [{"value": "north", "count": 1}]

    async def test_alerts_there_are_theirs(self, ids: dict[str, str], north: AsyncClient) -> None:
        """Whoever operates a site has its alerts in hand."""
        answer = await north.post(f"{URL}/{ids['core1']}/acknowledge", json={})
        assert answer.json()["acknowledgement"]["by"] == "north"

    async def test_making_one_elsewhere(self, ids: dict[str, str], north: AsyncClient) -> None:
        """One for a device of another site is refused as if it were not there; for none, too."""
        assert ids
        body = {"alertname": "Flood", "severity": "info", "summary": "water"}
        assert (await north.post(URL, json=body | {"device": "core2"})).status_code == 404
        assert (await north.post(URL, json=body)).status_code == 403
        assert (await north.post(URL, json=body | {"device": "core1"})).status_code == 201

    async def test_seeing_is_not_having(
        self, client: AsyncClient, ids: dict[str, str], log_in: Login
    ) -> None:
        """A viewer changes nothing."""
        assert client
        viewer = await log_in(Role.VIEWER)
        url = f"{URL}/{ids['core1']}"
        assert (await viewer.get(url)).status_code == 200
        assert (await viewer.post(f"{url}/acknowledge", json={})).status_code == 403
        assert (await viewer.post(f"{url}/resolve", json={})).status_code == 403


class TestNotes:
    async def test_somebody_sees_to_it(
        self, client: AsyncClient, ids: dict[str, str], log_in: Login
    ) -> None:
        """A person who is there is assigned, and the list can be narrowed to what is theirs."""
        await log_in(Role.OPERATOR, name="ann")
        url = f"{URL}/{ids['core1']}/assignee"
        assert (await client.put(url, json={"assignee": "ann"})).json()["assignee"] == "ann"
        assert (await client.put(url, json={"assignee": "ann"})).status_code == 200
        assert (await client.get(f"{URL}?assignee=ann")).json()["count"] == 1
        assert (await client.get(f"{URL}?assignee=")).json()["count"] == 1
        refused = await client.put(url, json={"assignee": "nobody"})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/assignee"
        assert (await client.put(url, json={"assignee": None})).json()["assignee"] == ""
        steps = [step for step, _, _ in await history(client, ids["core1"])]
        assert steps == ["fired", "assigned", "unassigned"]

    async def test_words(self, client: AsyncClient, ids: dict[str, str]) -> None:
        """A comment is in the history as it was written, but for what cannot be stored."""
        url = f"{URL}/{ids['core1']}/comments"
        hostile = "<script>{{ $labels }}</script> \x00'; DROP TABLE alerts"
        assert (await client.post(url, json={"comment": hostile})).status_code == 201
        assert (await client.post(url, json={"comment": "  "})).status_code == 422
        step, who, words = (await history(client, ids["core1"]))[-1]
        assert (step, who, words) == ("commented", "admin", hostile.replace("\x00", "\ufffd"))


class TestList:
    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("state=active", 2),
            ("state=suppressed", 0),
            ("site=south", 1),
            ("acknowledged=true", 0),
            ("acknowledged=false", 2),
            ("q=CORE2", 1),
            ("q=is down", 2),
            ("q=%25", 0),
            ("since=2026-03-01T12:00:00Z", 2),
            ("until=2026-03-01T09:00:00Z", 0),
            ("root=true", 2),
            ("root=false", 0),
            (f"incident={UNKNOWN}", 0),
        ],
    )
    async def test_filters(
        self, client: AsyncClient, ids: dict[str, str], query: str, count: int
    ) -> None:
        """It narrows by state, place, people, time, words and incident."""
        assert ids
        assert (await client.get(f"{URL}?{query}")).json()["count"] == count

    async def test_unknown_filters_are_refused(self, client: AsyncClient) -> None:
        """A misspelt filter or order does not mean everything."""
        assert (await client.get(f"{URL}?stat=active")).status_code == 422
        assert (await client.get(f"{URL}?ordering=labels")).status_code == 422


async def test_statistics(client: AsyncClient, alertmanager: AsyncClient) -> None:
    """How many, how loud, how fast, and what is noisiest, in a period."""
    for hour in range(3):
        times = {"startsAt": f"2026-03-01T1{hour}:00:00Z", "endsAt": f"2026-03-01T1{hour}:10:00Z"}
        await send(alertmanager, fired("core1", status="resolved", **times))
    await send(alertmanager, fired("core2", startsAt="2026-03-01T09:00:00Z"))
    (one,) = (await client.get(f"{URL}?status=firing")).json()["results"]
    await client.post(f"{URL}/{one['id']}/acknowledge", json={})
    period = "since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z"
    statistics = (await client.get(f"{URL}/statistics?{period}")).json()
    assert (statistics["firing"], statistics["total"]) == (1, 4)
    assert statistics["by_severity"] == [{"value": "critical", "count": 1}]
    assert statistics["by_state"] == [{"value": "acknowledged", "count": 1}]
    assert statistics["mean_time_to_repair_seconds"] == 600
    assert statistics["mean_time_to_acknowledge_seconds"] > 0
    assert statistics["noisiest_devices"] == [
        {"value": "core1", "count": 3},
        {"value": "core2", "count": 1},
    ]
    assert statistics["noisiest_alertnames"] == [{"value": "DeviceDown", "count": 4}]
    empty = (await client.get(f"{URL}/statistics?until=2020-01-01T00:00:00Z")).json()
    assert empty["mean_time_to_repair_seconds"] is None
    backwards = "since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z"
    assert (await client.get(f"{URL}/statistics?{backwards}")).status_code == 422
