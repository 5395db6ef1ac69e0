"""The poll, on a real Alertmanager: what its webhook never tells."""

import asyncio
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import update

from controlplane.alerts import service
from controlplane.alerts.models import Alert
from controlplane.alerts.schemas import WebhookAlert
from controlplane.app import create_app
from controlplane.clients.alertmanager import Matcher, Silence
from controlplane.database import now
from controlplane.settings import Settings
from tests.controlplane.alerts.conftest import MINUTE, URL, Stack

HOUR = timedelta(hours=1)


async def silence(stack: Stack, device: str) -> str:
    ends = now() + HOUR
    made = Silence((Matcher("device", device),), now(), ends, "ann", "works on it")
    return await stack.alertmanager.set_silence(made)


def restarted(stack: Stack, app: FastAPI) -> AsyncClient:
    """Give the same person's client of another control plane."""
    transport = ASGITransport(app)
    headers = {"Authorization": stack.client.headers["Authorization"]}
    return AsyncClient(transport=transport, base_url="http://chm.test", headers=headers)


class TestInhibited:
    async def test_it_ends_and_fires_again(self, stack: Stack) -> None:
        """No webhook speaks of it, yet its end is seen, and the next time is a row of its own."""
        await stack.fire("DeviceDown", "core1")
        await stack.fire("FanFailed", "core1", alertclass="symptom")
        await stack.watch()
        down, fan = await stack.alerts("ordering=alertname")
        assert (down["state"], fan["state"]) == ("active", "suppressed")
        assert fan["inhibited_by"] == [down["fingerprint"]]

        await stack.end("FanFailed", "core1")
        await stack.watch()
        (over,) = await stack.alerts("alertname=FanFailed")
        assert (over["state"], over["inhibited_by"]) == ("resolved", [])

        await stack.fire("FanFailed", "core1", alertclass="symptom")
        await stack.watch()
        fans = await stack.alerts("alertname=FanFailed&ordering=starts_at")
        assert [fan["state"] for fan in fans] == ["resolved", "suppressed"]
        assert await stack.steps(fans[0]) == ["fired", "suppressed", "correlated", "resolved"]

    async def test_it_is_heard_when_its_cause_is_over(self, stack: Stack) -> None:
        """A symptom that outlives its cause is an alert of its own."""
        await stack.fire("DeviceDown", "core1")
        await stack.fire("FanFailed", "core1", alertclass="symptom")
        await stack.watch()
        await stack.end("DeviceDown", "core1")
        await stack.watch()
        (fan,) = await stack.alerts("alertname=FanFailed")
        assert (fan["state"], fan["inhibited_by"]) == ("active", [])
        assert (await stack.steps(fan))[-1] == "resumed"


class TestSilenced:
    async def test_it_ends_and_fires_again(self, stack: Stack) -> None:
        """The row does not stay, and does not swallow the next outage."""
        silence_id = await silence(stack, "acc1")
        await stack.fire("DeviceDown", "acc1")
        await stack.watch()
        (quiet,) = await stack.alerts()
        assert (quiet["state"], quiet["silenced_by"]) == ("suppressed", [silence_id])
        await stack.end("DeviceDown", "acc1")
        await stack.watch()
        assert await stack.states() == ["resolved"]
        await stack.fire("DeviceDown", "acc1")
        await stack.watch()
        assert await stack.states() == ["resolved", "suppressed"]

    async def test_it_ends_and_fires_again_between_two_looks(self, stack: Stack) -> None:
        """What was missing once and is there with a later start was over in between."""
        await silence(stack, "acc1")
        await stack.fire("DeviceDown", "acc1")
        await stack.watch()
        await stack.end("DeviceDown", "acc1")
        await stack.watch(times=1)
        assert await stack.states() == ["suppressed"]
        await stack.fire("DeviceDown", "acc1")
        await stack.watch(times=1)
        assert await stack.states() == ["resolved", "suppressed"]


class TestRestarts:
    async def test_alertmanager_is_killed_at_every_step(self, stack: Stack) -> None:
        """An outage that ends and comes again is two rows, with one beginning and end each."""

        async def look(*states: str) -> None:
            await stack.kill()
            await stack.watch(times=1)
            await stack.start()
            await stack.watch()
            assert await stack.states("alertname=FanFailed&ordering=starts_at") == [*states]

        await stack.fire("DeviceDown", "core1")
        await stack.fire("FanFailed", "core1", alertclass="symptom")
        await look("suppressed")
        await stack.end("FanFailed", "core1")
        await look("resolved")
        await stack.fire("FanFailed", "core1", alertclass="symptom")
        await look("resolved", "suppressed")
        await stack.end("DeviceDown", "core1")
        await look("resolved", "active")
        await stack.end("FanFailed", "core1")
        await look("resolved", "resolved")
        for fan in await stack.alerts("alertname=FanFailed"):
            steps = await stack.steps(fan)
            assert (steps.count("fired"), steps.count("resolved")) == (1, 1)


class TestSilenceOfTheSource:
    """Nothing is over because nobody says anything."""

    async def test_alertmanager_is_away(self, stack: Stack) -> None:
        """A poll that fails ends nothing, however often."""
        await stack.fire("DeviceDown", "core1")
        await stack.watch()
        await stack.kill()
        await stack.watch(times=3)
        assert await stack.states() == ["active"]

    async def test_alertmanager_has_just_started(self, stack: Stack) -> None:
        """A new one knows no alerts until Prometheus tells it again."""
        await stack.fire("DeviceDown", "core1")
        await stack.watch()
        await stack.kill()
        told = stack.firing.copy()
        stack.firing.clear()
        await stack.start()
        young = stack.watcher(settle=HOUR)
        for _ in range(3):
            await young.watch()
        assert await stack.states() == ["active"]
        stack.firing.update(told)
        await stack._tell(told.values())
        await stack.watch()
        assert await stack.states() == ["active"]

    @pytest.mark.parametrize("source", ["", "now"])
    async def test_prometheus_is_away_or_has_just_started(self, stack: Stack, source: str) -> None:
        """What Prometheus does not tell because it is not there is not over."""
        await stack.fire("DeviceDown", "core1")
        await stack.watch()
        await stack.end("DeviceDown", "core1")
        started = source and now().isoformat()
        watcher = stack.watcher(settle=MINUTE, source=started)
        for _ in range(3):
            await watcher.watch()
        assert await stack.states() == ["active"]

    async def test_it_was_only_thought_over(self, stack: Stack) -> None:
        """Alertmanager says that it fires since then: the same row goes on."""
        await stack.fire("DeviceDown", "core1")
        await stack.watch()
        hidden = stack.firing.copy()
        await stack.kill()
        stack.firing.clear()
        await stack.start()
        await stack.watch()
        assert await stack.states() == ["resolved"]
        await stack._tell(hidden.values())
        await stack.watch()
        assert await stack.states() == ["resolved"]  # that it is over was learned only just now
        long_ago = update(Alert).values(received_at=now() - MINUTE)
        async with stack.sessions.begin() as session:
            await session.execute(long_ago)
        await stack.watch()
        (alert,) = await stack.alerts()
        assert (alert["state"], alert["ends_at"]) == ("active", None)
        assert await stack.steps(alert) == ["fired", "resolved", "reopened"]


async def test_two_workers_at_once(stack: Stack) -> None:
    """Whatever both find is written once, and both may be late."""
    for i in range(5):
        await stack.fire("DeviceDown", f"acc{i}")
    watchers = [stack.watcher() for _ in range(4)]
    await asyncio.gather(*(watcher.watch() for watcher in watchers))
    alerts = await stack.alerts()
    assert [alert["state"] for alert in alerts] == ["active"] * 5
    assert [await stack.steps(alert) for alert in alerts] == [["fired"]] * 5
    await stack.end("DeviceDown", "acc0")
    await asyncio.gather(*(watcher.watch() for watcher in watchers * 2))
    over = (await stack.alerts("status=resolved"))[0]
    assert await stack.steps(over) == ["fired", "resolved"]


class TestAcknowledged:
    async def test_it_silences_and_expires(self, stack: Stack) -> None:
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

    async def test_the_silence_goes_with_the_alert(self, stack: Stack) -> None:
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

    async def test_alertmanager_is_killed_at_every_step(self, stack: Stack) -> None:
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

    async def test_alertmanager_forgets_a_silence(self, stack: Stack) -> None:
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
        self, stack: Stack, caplog: pytest.LogCaptureFixture
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
        self, stack: Stack, settings: Settings
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

    async def test_two_holders_make_one_silence(self, stack: Stack) -> None:
        """A worker and a control plane at once: one is at it, and the other sees that it is."""
        await stack.fire("DeviceDown", "core1")
        await stack.watch()
        (alert,) = await stack.alerts()
        holders = [stack.watcher().holder.hold() for _ in range(4)]
        url = f"{URL}/{alert['id']}/acknowledge"
        await asyncio.gather(stack.client.post(url, json={}), *holders)
        await asyncio.gather(*(stack.watcher().watch() for _ in range(4)))
        assert len(await stack.silences()) == 1
