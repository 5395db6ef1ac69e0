"""Acknowledgements, on a real Alertmanager."""

import asyncio
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from controlplane.alerts import service
from controlplane.alerts.schemas import WebhookAlert
from controlplane.app import create_app
from controlplane.database import now
from controlplane.settings import Settings
from tests.controlplane.alerts.conftest import URL, Stack


def restarted(stack: Stack, app: FastAPI) -> AsyncClient:
    """Give the same person's client of another control plane."""
    transport = ASGITransport(app)
    headers = {"Authorization": stack.client.headers["Authorization"]}
    return AsyncClient(transport=transport, base_url="http://chm.test", headers=headers)


async def test_it_silences_and_expires(stack: Stack) -> None:
    """One silence of exactly these labels, which ends with the acknowledgement."""
    await stack.fire("DeviceDown", "core1")
    await stack.watch()
    (alert,) = await stack.alerts()
    expires = (now() + timedelta(seconds=2)).isoformat()
    answer = await stack.client.post(
        f"{URL}/{alert['id']}/acknowledge", json={"comment": "mine", "expires_at": expires}
    )
    assert answer.json()["state"] == "acknowledged"
    assert await stack.silences() == [f"chm-ack:{alert['id']} mine"]
    (held,) = await stack.alertmanager.alerts()
    assert len(held.silenced_by) == 1
    await stack.watch()
    (alert,) = await stack.alerts()
    assert (alert["state"], alert["silenced_by"]) == ("acknowledged", [])

    async with asyncio.timeout(10):
        while await stack.states() == ["acknowledged"]:
            await asyncio.sleep(0.2)
            await stack.watch(times=1)
    assert await stack.states() == ["active"]
    assert await stack.silences() == []
    assert await stack.steps(alert) == ["fired", "acknowledged", "acknowledgement_expired"]


async def test_the_silence_goes_with_the_alert(stack: Stack) -> None:
    """The next outage is told again."""
    await stack.fire("DeviceDown", "core1")
    await stack.watch()
    (alert,) = await stack.alerts()
    await stack.client.post(f"{URL}/{alert['id']}/acknowledge", json={})
    assert len(await stack.silences()) == 1
    await stack.end("DeviceDown", "core1")
    await stack.watch()
    assert await stack.silences() == []
    await stack.fire("DeviceDown", "core1")
    await stack.watch()
    first, second = await stack.alerts()
    assert (first["state"], second["state"]) == ("resolved", "active")
    assert first["acknowledgement"]["by"] == "admin"


async def test_alertmanager_is_killed_at_every_step(stack: Stack) -> None:
    """Nothing is lost and nothing doubled: each look makes good what was missed."""
    await stack.fire("DeviceDown", "core1")
    await stack.watch()
    (alert,) = await stack.alerts()
    await stack.kill()
    answer = await stack.client.post(f"{URL}/{alert['id']}/acknowledge", json={})
    assert answer.status_code == 200
    await stack.watch()
    assert await stack.states() == ["acknowledged"]
    await stack.start()
    await stack.watch()
    assert len(await stack.silences()) == 1
    await stack.kill()
    answer = await stack.client.delete(f"{URL}/{alert['id']}/acknowledge")
    assert answer.json()["state"] == "active"
    await stack.start()
    await stack.watch()
    assert await stack.silences() == []
    assert await stack.steps(alert) == ["fired", "acknowledged", "unacknowledged"]


async def test_alertmanager_forgets_a_silence(stack: Stack) -> None:
    """One that crashed has not written it down: it is made anew, and so is one deleted."""
    await stack.fire("DeviceDown", "core1")
    await stack.watch()
    (alert,) = await stack.alerts()
    await stack.client.post(f"{URL}/{alert['id']}/acknowledge", json={})
    await stack.kill()
    await stack.start()
    assert await stack.silences() == []
    await stack.watch()
    assert await stack.silences() == [f"chm-ack:{alert['id']}"]
    for silence in await stack.alertmanager.silences():
        await stack.alertmanager.expire_silence(silence.id)
    await stack.watch()
    assert await stack.silences() == [f"chm-ack:{alert['id']}"]


async def test_one_that_is_refused_stops_no_other(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    """An alert without labels can have no silence; those of the others are made."""
    nameless = WebhookAlert.model_validate(
        {"status": "firing", "labels": {}, "startsAt": now(), "fingerprint": "00"}
    )
    async with stack.sessions.begin() as session:
        await service.ingest(session, [nameless])
    await stack.fire("DeviceDown", "core1")
    await stack.watch(times=1)
    first, second = await stack.alerts()
    body = {"ids": [first["id"], second["id"]]}
    assert (await stack.client.post(f"{URL}/acknowledge", json=body)).status_code == 200
    assert await stack.silences() == [f"chm-ack:{second['id']}"]
    assert f"chm-ack:{first['id']}' was refused" in caplog.text


async def test_the_control_plane_is_restarted_at_every_step(
    stack: Stack, settings: Settings
) -> None:
    """Whatever was decided is in the database: another one goes on with it."""
    await stack.fire("DeviceDown", "core1")
    await stack.watch()
    (alert,) = await stack.alerts()
    url = f"{URL}/{alert['id']}/acknowledge"
    steps = (("POST", "acknowledged", 1), ("DELETE", "active", 0), ("POST", "acknowledged", 1))
    for method, state, silences in steps:
        app = create_app(settings.model_copy(update={"alertmanager_url": stack.server.url}))
        async with app.router.lifespan_context(app), restarted(stack, app) as client:
            answer = await client.request(method, url, json={"comment": "mine"})
            assert answer.json()["state"] == state, answer.text
        await stack.watch()
        assert await stack.states() == [state]
        assert len(await stack.silences()) == silences
    assert await stack.steps(alert) == [
        *("fired", "acknowledged", "unacknowledged", "acknowledged")
    ]


async def test_two_holders_make_one_silence(stack: Stack) -> None:
    """A worker and a control plane at once: one is at it, and the other sees that it is."""
    await stack.fire("DeviceDown", "core1")
    await stack.watch()
    (alert,) = await stack.alerts()
    holders = [stack.watcher().holder.hold() for _ in range(4)]
    url = f"{URL}/{alert['id']}/acknowledge"
    await asyncio.gather(stack.client.post(url, json={}), *holders)
    await asyncio.gather(*(stack.watcher().watch() for _ in range(4)))
    assert len(await stack.silences()) == 1
