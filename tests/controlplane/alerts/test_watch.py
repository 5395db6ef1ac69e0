"""The poll, on a real Alertmanager: what its webhook never tells."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from controlplane.alerts.models import Alert
from controlplane.clients.alertmanager import Matcher, Silence
from controlplane.database import now
from tests.controlplane.alerts.conftest import MINUTE, Stack

HOUR = timedelta(hours=1)


async def silence(stack: Stack, device: str) -> str:
    ends = now() + HOUR
    made = Silence((Matcher("device", device),), now(), ends, "ann", "works on it")
    return await stack.alertmanager.set_silence(made)


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
        watcher = stack.watcher(source=started)
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
    await stack.watch()  # what is missing is over at a later look, and those may be as one
    (over,) = await stack.alerts("status=resolved")
    assert await stack.steps(over) == ["fired", "resolved"]
