"""Alertmanager's webhook, and the list it fills."""

from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.auth.permissions import Permission
from tests.controlplane.conftest import Service

URL = "/api/v1/alerts"
START, END, YEAR_1 = (
    "2026-03-01T10:00:00.123456789Z",
    "2026-03-01T10:05:00Z",
    "0001-01-01T00:00:00Z",
)


def alert(status: str = "firing", **changes: Any) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "DeviceDown", "severity": "critical", "device": "core1"},
        "annotations": {"summary": "core1 is down"},
        "startsAt": START,
        "endsAt": END if status == "resolved" else YEAR_1,
        "generatorURL": "http://prometheus/graph",
        "fingerprint": "4a3b2c1d00000000",
        **changes,
    }


def webhook(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="DeviceDown"}',
        "truncatedAlerts": 0,
        "status": alerts[0]["status"] if alerts else "firing",
        "receiver": "controlplane",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": list(alerts),
    }


@pytest.fixture
async def alertmanager(service: Service) -> AsyncClient:
    return await service(Permission.ALERTS_INGEST)


async def send(alertmanager: AsyncClient, *alerts: dict[str, Any]) -> None:
    response = await alertmanager.post(f"{URL}/webhook", json=webhook(*alerts))
    assert response.status_code == 200, response.text
    assert response.json() == {"received": len(alerts)}


async def stored(client: AsyncClient, query: str = "") -> list[dict[str, Any]]:
    response = await client.get(f"{URL}?{query}")
    results: list[dict[str, Any]] = response.json()["results"]
    return results


async def test_an_alert_fires_and_ends(client: AsyncClient, alertmanager: AsyncClient) -> None:
    """One row per firing, with its labels, and the end once it is over."""
    await send(alertmanager, alert())
    (firing,) = await stored(client)
    assert (firing["alertname"], firing["severity"], firing["device"]) == (
        "DeviceDown",
        "critical",
        "core1",
    )
    assert (firing["status"], firing["ends_at"]) == ("firing", None)
    assert firing["starts_at"] == "2026-03-01T10:00:00.123000Z"
    await send(alertmanager, alert("resolved"))
    (resolved,) = await stored(client)
    assert (resolved["status"], resolved["ends_at"]) == ("resolved", END)
    assert resolved["id"] == firing["id"]


@pytest.mark.parametrize(
    "order", [("firing", "resolved"), ("resolved", "firing"), ("resolved", "resolved")]
)
async def test_late_and_repeated_webhooks(
    client: AsyncClient, alertmanager: AsyncClient, order: tuple[str, str]
) -> None:
    """A firing that arrives after its resolution does not reopen it, and replays change nothing."""
    for status in order:
        await send(alertmanager, alert(status))
    before = await stored(client)
    for status in (*order, *reversed(order)):
        await send(alertmanager, alert(status))
    await send(alertmanager, alert("resolved", endsAt="2026-03-01T11:00:00Z"))
    assert await stored(client) == before
    assert [(a["status"], a["ends_at"]) for a in before] == [("resolved", END)]


async def test_both_in_one_webhook(client: AsyncClient, alertmanager: AsyncClient) -> None:
    """Whatever order one webhook has them in, resolved wins."""
    await send(alertmanager, alert("resolved"), alert("firing"), alert("firing"))
    assert [a["status"] for a in await stored(client)] == ["resolved"]


async def test_a_second_firing_is_a_second_row(
    client: AsyncClient, alertmanager: AsyncClient
) -> None:
    """The same alert that fires again later has a history of two, the newest first."""
    await send(alertmanager, alert("resolved"))
    await send(alertmanager, alert(startsAt="2026-03-01T12:00:00Z"))
    assert [a["status"] for a in await stored(client)] == ["firing", "resolved"]
    assert [a["status"] for a in await stored(client, "ordering=starts_at")] == [
        "resolved",
        "firing",
    ]


async def test_an_outage_told_with_another_start(
    client: AsyncClient, alertmanager: AsyncClient
) -> None:
    """After Prometheus restarted, the alert that goes on has a new start; it stays one outage."""
    await send(alertmanager, alert())
    await send(alertmanager, alert(startsAt="2026-03-01T10:02:00Z"))
    await send(alertmanager, alert("resolved", startsAt="2026-03-01T10:02:00Z"))
    await send(alertmanager, alert(startsAt="2026-03-01T10:03:00Z"))
    (outage,) = await stored(client)
    assert outage["starts_at"] == "2026-03-01T10:00:00.123000Z"
    assert (outage["status"], outage["ends_at"]) == ("resolved", END)


async def test_the_end_of_an_earlier_outage(client: AsyncClient, alertmanager: AsyncClient) -> None:
    """What was over before the present outage began does not end it."""
    await send(alertmanager, alert(startsAt="2026-03-01T12:00:00Z"))
    await send(alertmanager, alert("resolved"))
    assert [a["status"] for a in await stored(client)] == ["firing", "resolved"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=firing", 2),
        ("status=resolved", 1),
        ("severity=warning", 1),
        ("device=core1", 2),
        ("alertname=DeviceDown&device=core1", 2),
        ("device=nowhere", 0),
        ("limit=1", 1),
    ],
)
async def test_filters(
    client: AsyncClient, alertmanager: AsyncClient, query: str, count: int
) -> None:
    """The list narrows by status, severity, device and name."""
    hot = {"alertname": "DeviceHot", "severity": "warning", "device": "acc1"}
    await send(
        alertmanager,
        alert(),
        alert("resolved", startsAt="2026-02-01T10:00:00Z", endsAt="2026-02-01T11:00:00Z"),
        alert(labels=hot, fingerprint="01"),
    )
    assert len(await stored(client, query)) == count


async def test_foreign_text(client: AsyncClient, alertmanager: AsyncClient) -> None:
    """Text of a device that PostgreSQL cannot hold, or without our labels, is no fault."""
    await send(alertmanager, alert(labels={"x": "a\x00b"}, annotations={"\x00": "<b>"}))
    (one,) = await stored(client)
    assert one["labels"] == {"x": "a\ufffdb"}
    assert one["alertname"] == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "pending"},
        {"fingerprint": "x; DROP TABLE alerts"},
        {"startsAt": "yesterday"},
        {"startsAt": "2026-03-01T10:00:00"},
        {"labels": {"a": 1}},
    ],
)
async def test_no_alert(alertmanager: AsyncClient, changes: dict[str, Any]) -> None:
    """What is no alert of Alertmanager is refused."""
    body = webhook(alert() | changes)
    assert (await alertmanager.post(f"{URL}/webhook", json=body)).status_code == 422


async def test_another_version_is_refused(alertmanager: AsyncClient) -> None:
    """A format we do not know is not guessed at."""
    body = webhook() | {"version": "5"}
    assert (await alertmanager.post(f"{URL}/webhook", json=body)).status_code == 422
    await send(alertmanager)


async def test_thousands_at_once(client: AsyncClient, alertmanager: AsyncClient) -> None:
    """A large outage arrives in one webhook."""
    await send(alertmanager, *(alert(fingerprint=f"{i:x}") for i in range(4000)))
    assert (await client.get(f"{URL}?limit=1")).json()["count"] == 4000
