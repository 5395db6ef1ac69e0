"""Escalation on a real Alertmanager: whom it tells, when it stops, what a restart loses."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from controlplane.alerts.watch import Holder, Watcher
from controlplane.auth.permissions import Role
from controlplane.clients import prometheus
from controlplane.clients.alertmanager import Alertmanager, PostedAlert
from controlplane.database import now
from controlplane.escalation.engine import Engine
from controlplane.escalation.telling import NAME, ThroughAlertmanager
from controlplane.maintenance.keeper import Keeper
from tests.controlplane import alertmanager as programs
from tests.controlplane.conftest import Login, Sessions
from tests.controlplane.sink import Sink

CONFIG = """\
route:
  receiver: people
  group_by: ["..."]
  group_wait: 0s
  group_interval: 1s
  routes:
    - receiver: pager
      matchers: ['escalation="true"', 'chm_channel="pager"']
    - receiver: ann
      matchers: ['escalation="true"', 'chm_channel="ann"']
receivers:
  - {{name: people, webhook_configs: [{{url: "{url}"}}]}}
  - {{name: pager, webhook_configs: [{{url: "{url}"}}]}}
  - {{name: ann, webhook_configs: [{{url: "{url}"}}]}}
"""
POLICIES, SCHEDULES = "/api/v1/escalation/policies", "/api/v1/oncall/schedules"
NO_TIME = timedelta()
STEPS = [
    {"after": 0, "channels": ["pager"]},
    {"after": 600, "schedules": ["network"]},
    {"after": 3600, "channels": ["boss"]},
]


@dataclass
class Stack:
    """A real Alertmanager with a receiver, an alert that fires, and workers."""

    server: programs.Server
    sink: Sink
    sessions: Sessions
    client: AsyncClient
    alertmanager: Alertmanager

    def watcher(self) -> Watcher:
        """Give a worker's watcher of alerts."""
        answers = {
            "/api/v1/status/runtimeinfo": prometheus.Answer({"startTime": "2026-01-01T00:00:00Z"})
        }
        holder = Holder(self.sessions, self.alertmanager)
        source = prometheus.fake(answers)
        return Watcher(holder, source, settle=NO_TIME, warm_up=NO_TIME, confirm=NO_TIME)

    def engine(self) -> Engine:
        """Give a worker's engine."""
        return Engine(self.sessions, ThroughAlertmanager(self.alertmanager))

    async def fire(self, device: str = "core", **labels: str) -> None:
        """Have a rule fire, and look."""
        every = {"alertname": "DeviceDown", "device": device, "severity": "critical", **labels}
        summary = {"summary": f"{device} is down"}
        alert = PostedAlert(every, summary, now(), now() + timedelta(hours=1))
        await self.alertmanager.post_alerts([alert])
        await self.look()

    async def end(self, device: str = "core") -> None:
        """Have it end, and look."""
        every = {"alertname": "DeviceDown", "device": device, "severity": "critical"}
        await self.alertmanager.post_alerts([PostedAlert(every, {}, now(), now())])
        await self.look()

    async def look(self) -> None:
        """Let the periodic tasks run; what is missing is over at the second look."""
        for _ in range(2):
            await self.watcher().watch()
        await self.engine().run()

    async def pass_time(self, seconds: float) -> None:
        """Have the alert fire for this much longer, and look."""
        async with self.sessions.begin() as session:
            await session.execute(
                text(
                    "UPDATE escalations SET counting_since ="
                    " counting_since - make_interval(secs => :s)"
                ),
                {"s": seconds},
            )
        await self.look()

    async def alert(self) -> dict[str, Any]:
        """Give the alert that fires."""
        (found,) = (await self.client.get("/api/v1/alerts?status=firing")).json()["results"]
        alert: dict[str, Any] = found
        return alert

    async def acknowledge(self, **body: Any) -> None:
        """Have an admin acknowledge the alert."""
        response = await self.client.post(await self._acknowledgement(), json=body)
        assert response.status_code == 200, response.text

    async def unacknowledge(self) -> None:
        """Have an admin take it back."""
        response = await self.client.delete(await self._acknowledgement())
        assert response.status_code < 300, response.text

    async def _acknowledgement(self) -> str:
        return f"/api/v1/alerts/{(await self.alert())['id']}/acknowledge"

    async def escalation(self) -> dict[str, Any]:
        """Give how far it was escalated."""
        (found,) = (await self.client.get("/api/v1/escalations")).json()["results"]
        escalation: dict[str, Any] = found
        return escalation

    async def rounds(self) -> list[tuple[str, str, str]]:
        """Give round, step and summary of what Alertmanager holds of escalations."""
        return sorted(
            (a.labels.get("round", ""), a.labels["step"], a.annotations["summary"])
            for a in await self.alertmanager.alerts()
            if a.labels["alertname"] == NAME
        )

    async def live(self) -> set[tuple[str, str]]:
        """Give step and channel of what Alertmanager holds of escalations."""
        return {
            (a.labels["step"], a.labels.get("chm_channel", ""))
            for a in await self.alertmanager.alerts()
            if a.labels["alertname"] == NAME
        }

    def told(self) -> list[tuple[str, str, str]]:
        """Give receiver, status and step of every notification of an escalation."""
        return [
            (t.receiver, t.status, t.labels["step"])
            for t in self.sink.told
            if t.labels["alertname"] == NAME
        ]

    async def wait_for_told(self, count: int) -> list[tuple[str, str, str]]:
        """Wait until so many were told, and give them."""
        async with asyncio.timeout(60):
            while len(self.told()) < count:
                await asyncio.sleep(0.05)
        return self.told()


@pytest.fixture
async def stack(
    tmp_path: Path, sessions: Sessions, client: AsyncClient, log_in: Login
) -> AsyncIterator[Stack]:
    await log_in(Role.OPERATOR, name="ann")
    layer = {"people": ["ann"], "first_day": "2026-01-01"}
    for url, body in (
        (SCHEDULES, {"name": "network", "layers": [layer]}),
        (POLICIES, {"name": "critical", "steps": STEPS}),
    ):
        response = await client.post(url, json=body)
        assert response.status_code == 201, response.text
    told_by = await client.put("/api/v1/oncall/contacts/ann", json={"channel": "ann"})
    assert told_by.status_code == 200, told_by.text
    async with Sink.running() as sink:
        server = programs.server(tmp_path, CONFIG.format(url=sink.url))
        async with server.running(), Alertmanager.at(server.url) as alertmanager:
            yield Stack(server, sink, sessions, client, alertmanager)


async def test_step_by_step(stack: Stack) -> None:
    """First the pager, then whoever is on call, by their channel, then a channel nobody knows.

    What is told says which alert, since when nobody has it, and who is on call.
    """
    await stack.fire()
    assert await stack.live() == {("1", "pager")}
    assert await stack.wait_for_told(1) == [("pager", "firing", "1")]
    await stack.pass_time(500)
    assert await stack.live() == {("1", "pager")}
    await stack.pass_time(101)
    assert await stack.live() == {("1", "pager"), ("2", "ann")}
    assert (await stack.wait_for_told(2))[1] == ("ann", "firing", "2")
    await stack.pass_time(3000)
    assert (await stack.wait_for_told(3))[2] == ("people", "firing", "3")
    ann = next(t for t in stack.sink.told if t.receiver == "ann")
    assert ann.labels["alert"] == "DeviceDown"
    assert ann.labels["person"] == "ann"
    assert ann.annotations["summary"] == "core is down: not acknowledged for 10 min"
    assert ann.annotations["on_call"] == "ann"


async def test_nothing_is_told_twice(stack: Stack) -> None:
    """Four workers at once write each step once and tell it once, and looking again adds none."""
    await stack.fire()
    engines = [stack.engine() for _ in range(4)]
    for _ in range(3):
        await asyncio.gather(*(engine.run() for engine in engines))
    await stack.pass_time(601)
    await asyncio.gather(*(engine.run() for engine in engines))
    tellings = (await stack.escalation())["tellings"]
    assert [(t["position"], t["channel"]) for t in tellings] == [(0, "pager"), (1, "ann")]
    assert sorted(await stack.wait_for_told(2)) == [
        ("ann", "firing", "2"),
        ("pager", "firing", "1"),
    ]
    await stack.fire("other")  # a notification that comes later, so that a double would be here
    await stack.wait_for_told(3)
    assert stack.told().count(("pager", "firing", "1")) == 2, "one for each of two devices"


async def test_acknowledgement_stops_and_its_end_resumes(stack: Stack) -> None:
    """While somebody has the alert, nobody else is told; then time goes on where it stood."""
    await stack.fire()
    await stack.pass_time(300)
    await stack.acknowledge(comment="on it")
    await stack.look()
    assert await stack.live() == set()
    stopped = await stack.escalation()
    assert (stopped["counting"], stopped["closed_at"]) == (False, None)
    assert 300 <= stopped["waited_seconds"] < 360
    await stack.pass_time(100_000)
    assert await stack.live() == set(), "no time passes"
    await stack.unacknowledge()
    await stack.look()
    assert await stack.live() == {("1", "pager")}, "who was told is told again"
    await stack.pass_time(301)
    assert await stack.live() == {("1", "pager"), ("2", "ann")}


async def test_the_end_of_what_somebody_has_is_told(stack: Stack) -> None:
    """Its silence keeps it from being told again, not from being told to be over; and that once."""
    await stack.fire()
    await stack.sink.wait_for("core", alertname="DeviceDown")
    await stack.acknowledge(comment="on it")
    await stack.look()
    await stack.end()
    for _ in range(3):
        await stack.look()
    await stack.sink.wait_for_end("core")
    await stack.fire("other")  # a notification that comes later, so that a double would be here
    await stack.sink.wait_for("other", alertname="DeviceDown")
    told = [t.status for t in stack.sink.told if t.labels["alertname"] == "DeviceDown"]
    assert told == ["firing", "resolved", "firing"]


async def test_an_acknowledgement_that_expires(stack: Stack) -> None:
    """Nobody needs to take it back: past its expiry the escalation goes on by itself."""
    await stack.fire()
    expires = now() + timedelta(seconds=2)
    await stack.acknowledge(comment="two seconds", expires_at=expires.isoformat())
    await stack.look()
    assert await stack.live() == set()
    async with asyncio.timeout(30):
        while not await stack.live():
            await asyncio.sleep(0.2)
            await stack.look()
    assert now() >= expires


async def test_the_end_of_the_alert_ends_it(stack: Stack) -> None:
    """Whoever was told hears that it is over, and the next step never comes."""
    await stack.fire()
    await stack.wait_for_told(1)
    await stack.end()
    assert await stack.live() == set()
    assert (await stack.escalation())["closed_at"] is not None
    assert (await stack.wait_for_told(2))[1] == ("pager", "resolved", "1")
    await stack.pass_time(100_000)
    assert await stack.live() == set()


async def test_what_is_silenced_is_not_escalated(stack: Stack) -> None:
    """In maintenance nobody is told, also not because nobody acknowledges; then time begins."""
    device = {"name": "core", "address": "10.0.0.1", "status": "maintenance"}
    await stack.client.post("/api/v1/devices", json=device)
    keeper = Keeper(stack.sessions, stack.alertmanager)
    await keeper.keep()
    await stack.fire()
    await stack.pass_time(601)
    assert (await stack.escalation())["tellings"] == []
    await stack.client.patch("/api/v1/devices/core", json={"status": "active"})
    await keeper.keep()
    await stack.look()
    assert await stack.live() == {("1", "pager")}


async def test_a_restart_loses_nothing(stack: Stack, tmp_path: Path) -> None:
    """What came due while Alertmanager was away is told by the one that comes, by any worker."""
    await stack.fire()
    assert await stack.live() == {("1", "pager")}
    nowhere = Alertmanager.at("http://127.0.0.1:9")
    async with stack.sessions.begin() as session:
        await session.execute(
            text("UPDATE escalations SET counting_since = counting_since - interval '601 s'")
        )
    await Engine(stack.sessions, ThroughAlertmanager(nowhere)).run()
    await nowhere.aclose()
    folder = tmp_path / "other"
    folder.mkdir()
    other = programs.server(folder, CONFIG.format(url=stack.sink.url))
    async with other.running(), Alertmanager.at(other.url) as empty:
        await Engine(stack.sessions, ThroughAlertmanager(empty)).run()
        steps = {a.labels["step"] for a in await empty.alerts()}
    assert steps == {"1", "2"}


async def test_steps_that_begin_again(stack: Stack) -> None:
    """As often as the policy says, each time after its pause; then no more, and all end at once."""
    steps = [{"after": 0, "channels": ["pager"]}, {"after": 300, "channels": ["boss"]}]
    again = {"name": "critical", "steps": steps, "repeat": 2, "repeat_after": 600}
    assert (await stack.client.put(f"{POLICIES}/critical", json=again)).status_code == 200
    await stack.fire()
    await stack.pass_time(301)
    words = "core is down: not acknowledged for"
    first = [("", "1", f"{words} 0 min"), ("", "2", f"{words} 5 min")]
    assert await stack.rounds() == first
    await stack.pass_time(600)  # 901
    assert await stack.rounds() == [*first, ("2", "1", f"{words} 15 min")]
    await stack.pass_time(100_000)
    third = [("3", "1", f"{words} 30 min"), ("3", "2", f"{words} 35 min")]
    second = [("2", "1", f"{words} 15 min"), ("2", "2", f"{words} 20 min")]
    assert await stack.rounds() == [*first, *second, *third]
    assert len((await stack.escalation())["tellings"]) == 6
    await stack.end()
    assert await stack.rounds() == []


async def test_what_was_told_is_asked_for_once(stack: Stack, statements: list[str]) -> None:
    """A look where nothing is new costs as much after many rounds as after the first step."""
    steps = [{"after": 0, "channels": ["pager"]}, {"after": 300, "channels": ["boss"]}]
    again = {"name": "critical", "steps": steps, "repeat": 5, "repeat_after": 600}
    assert (await stack.client.put(f"{POLICIES}/critical", json=again)).status_code == 200
    costs = []
    await stack.fire()
    for seconds, told in ((1, 1), (100_000, 12)):
        await stack.pass_time(seconds)
        assert len((await stack.escalation())["tellings"]) == told
        statements.clear()
        await stack.engine().run()
        costs.append(len(statements))
    assert costs[0] == costs[1] > 0


async def test_other_alerts_are_left_alone(stack: Stack) -> None:
    """A policy is for what it names: a warning is not escalated, nor is an escalation itself."""
    await stack.fire("core", severity="warning")
    await stack.fire("dist")
    await stack.pass_time(601)
    found = (await stack.client.get("/api/v1/escalations")).json()
    assert found["count"] == 1
    alerts = (await stack.client.get("/api/v1/alerts")).json()["results"]
    assert {alert["alertname"] for alert in alerts} == {"DeviceDown"}


async def test_a_policy_is_for_what_comes(stack: Stack) -> None:
    """A policy that is made while an alert fires counts from then on, not from its start."""
    await stack.client.delete(f"{POLICIES}/critical")
    await stack.fire()
    assert (await stack.client.get("/api/v1/escalations")).json()["count"] == 0
    late = [{"after": 60, "channels": ["pager"]}]
    await stack.client.post(POLICIES, json={"name": "late", "steps": late})
    async with stack.sessions.begin() as session:
        await session.execute(text("UPDATE alerts SET starts_at = starts_at - interval '1 day'"))
    await stack.engine().run()
    assert (await stack.escalation())["tellings"] == []
    await stack.pass_time(61)
    assert await stack.live() == {("1", "pager")}
