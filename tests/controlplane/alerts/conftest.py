"""Alerts on a real Alertmanager, with a watcher that anybody may call for."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from controlplane.alerts import episodes
from controlplane.alerts.watch import Holder, Watcher
from controlplane.clients import prometheus
from controlplane.clients.alertmanager import Alertmanager, PostedAlert
from controlplane.database import now
from tests.controlplane import alertmanager
from tests.controlplane.conftest import Sessions

# What the stack's own configuration has of routes and inhibition, told to nobody.
CONFIG = """\
route: {receiver: nobody}
receivers: [{name: nobody}]
inhibit_rules:
  - source_matchers: ['alertname=~"DeviceDown|DeviceUnreachable"', 'device!=""']
    target_matchers: ['alertclass="symptom"', 'alertname!="DeviceUnreachable"', 'device!=""']
    equal: [device]
"""
AGES_AGO = "2026-01-01T00:00:00Z"
AT_ONCE = timedelta()
MINUTE = timedelta(minutes=1)
URL = "/api/v1/alerts"


@dataclass
class Stack:
    """A real Alertmanager, the alerts that rules would tell it, and workers to watch it."""

    server: alertmanager.Server
    sessions: Sessions
    client: AsyncClient
    app: FastAPI
    alertmanager: Alertmanager
    firing: dict[str, PostedAlert] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start Alertmanager and tell it again what fires, as Prometheus would within a minute."""
        self.process = await self.server.start()
        await self._tell(self.firing.values())

    async def kill(self) -> None:
        """Kill Alertmanager as a crash would."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def fire(self, name: str, device: str, **labels: str) -> None:
        """Have a rule fire."""
        start = episodes.exact(now())
        every = {"alertname": name, "device": device, "severity": "warning", **labels}
        alert = PostedAlert(every, {"summary": f"{name} {device}"}, start, start + 10 * MINUTE)
        self.firing[f"{name} {device}"] = alert
        await self._tell([alert])

    async def end(self, name: str, device: str) -> None:
        """Have it find nothing any more; Alertmanager tells nobody of it."""
        alert = self.firing.pop(f"{name} {device}")
        over = PostedAlert(alert.labels, alert.annotations, alert.starts_at, now())
        await self._tell([over])

    def watcher(self, settle: timedelta = AT_ONCE, source: str = AGES_AGO) -> Watcher:
        """Give a worker's watcher; `source` is when Prometheus started, empty while it is away."""
        runtime = prometheus.Answer({"startTime": source})
        answers = {"/api/v1/status/runtimeinfo": runtime} if source else {}
        holder = Holder(self.sessions, self.alertmanager)
        source_is = prometheus.fake(answers)
        return Watcher(holder, source_is, settle=settle, warm_up=MINUTE, confirm=AT_ONCE)

    async def watch(self, times: int = 2) -> None:
        """Let the periodic task run; what is missing is over at the second look."""
        for _ in range(times):
            await self.watcher().watch()

    async def alerts(self, query: str = "ordering=starts_at") -> list[dict[str, Any]]:
        """Give the list of alerts."""
        response = await self.client.get(f"{URL}?{query}")
        assert response.status_code == 200, response.text
        results: list[dict[str, Any]] = response.json()["results"]
        return results

    async def states(self, query: str = "ordering=starts_at") -> list[str]:
        """Give the states of the alerts."""
        return [alert["state"] for alert in await self.alerts(query)]

    async def steps(self, alert: dict[str, Any]) -> list[str]:
        """Give the history of an alert."""
        history = (await self.client.get(f"{URL}/{alert['id']}/history")).json()
        return [step["step"] for step in history]

    async def silences(self) -> list[str]:
        """Give the comments of the silences that count."""
        every = await self.alertmanager.silences()
        return [silence.comment for silence in every if silence.state == "active"]

    async def _tell(self, alerts: Iterable[PostedAlert]) -> None:
        if told := list(alerts):
            await self.alertmanager.post_alerts(told)


@pytest.fixture
async def stack(
    tmp_path: Path, app: FastAPI, sessions: Sessions, client: AsyncClient
) -> AsyncIterator[Stack]:
    """Give a running Alertmanager, and the control plane on it."""
    server = alertmanager.server(tmp_path, CONFIG)
    async with AsyncExitStack() as cleanup:
        their = await cleanup.enter_async_context(Alertmanager.at(server.url))
        stack = Stack(server, sessions, client, app, their)
        before = app.state.alerts
        app.state.alerts = Holder(sessions, their)
        cleanup.callback(setattr, app.state, "alerts", before)
        await stack.start()
        cleanup.push_async_callback(stack.kill)
        yield stack
