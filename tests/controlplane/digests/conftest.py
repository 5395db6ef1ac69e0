"""The control plane on a port, a real Alertmanager beside it, and a service that it tells."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from controlplane.alerts.watch import Holder, Watcher
from controlplane.auth.permissions import Permission
from controlplane.clients import prometheus
from controlplane.clients.alertmanager import Alertmanager, PostedAlert
from controlplane.clients.notifier import Notifier
from controlplane.database import now
from controlplane.digests.telling import Sender
from controlplane.notifications.destinations import Destinations
from controlplane.provisioning.alertmanager.service import RoutingDeployer
from controlplane.settings import Settings
from tests.controlplane.conftest import Service, Sessions
from tests.controlplane.notifications import running
from tests.controlplane.notifications.running import Sink, sink, until
from tests.controlplane.provisioning.server import free_port
from tests.tools import tool

HOUR, NO_TIME = timedelta(hours=1), timedelta()
CHANNELS = "/api/v1/notifications/channels"
ROUTE = "/api/v1/notifications/routes/all"
Labels = Mapping[str, str]


@dataclass
class World:
    """What runs, and hands for what happens to it."""

    settings: Settings
    sessions: Sessions
    client: AsyncClient
    app: FastAPI
    sink: Sink
    server: running.Alertmanager
    alertmanager: Alertmanager
    deployer: RoutingDeployer
    cleanup: AsyncExitStack

    async def begin(self, cap: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> None:
        """Have a channel with a cap told of every alert, a webhook, and start Alertmanager."""
        kind = options or {"kind": "webhook", "url": self.sink.url("/pager")}
        made = await self.client.post(CHANNELS, json={"name": "pager", "cap": cap, "options": kind})
        assert made.status_code == 201, made.text
        routed = await self.client.put(ROUTE, json={"channels": ["pager"], "stop": True})
        assert routed.status_code == 200, routed.text
        deployed = await self.deployer.deploy()
        assert deployed is not None
        assert not deployed.detail.endswith("changed)"), deployed.detail
        await self.start()

    async def start(self) -> None:
        """Start Alertmanager; it ends with the test, or before by `stop`."""
        await self.cleanup.enter_async_context(self.server.running())

    async def stop(self) -> None:
        """End Alertmanager."""
        await self.cleanup.pop_all().aclose()

    def sender(self) -> Sender:
        """Give a worker's sender."""
        return Sender(self.sessions, self.alertmanager, "https://chm.example.net")

    async def fire(self, *alerts: Labels) -> None:
        """Have rules fire."""
        moment = now()
        await self._post(alerts, moment, moment + HOUR)

    async def end(self, *alerts: Labels) -> None:
        """Have them find nothing any more."""
        moment = now()
        await self._post(alerts, moment - timedelta(seconds=1), moment)

    async def _post(self, alerts: Sequence[Labels], *span: Any) -> None:
        words = [{"summary": f"{alert['alertname']} of {alert['device']}"} for alert in alerts]
        pairs = zip(alerts, words, strict=True)
        await self.alertmanager.post_alerts([PostedAlert(a, w, *span) for a, w in pairs])

    async def watch(self) -> None:
        """Let the worker watch; what is missing is over at the second look."""
        runtime = prometheus.Answer({"startTime": "2026-01-01T00:00:00Z"})
        source = prometheus.fake({"/api/v1/status/runtimeinfo": runtime})
        holder = Holder(self.sessions, self.alertmanager)
        for _ in range(2):
            await Watcher(holder, source, NO_TIME, NO_TIME, NO_TIME).watch()

    async def pass_time(self, seconds: float) -> None:
        """Have all that was told be told so long ago, and the worker look."""
        moved = "UPDATE digest_messages SET told_at = told_at - make_interval(secs => :s)"
        async with self.sessions.begin() as session:
            await session.execute(text(moved), {"s": seconds})
        await self.sender().run()

    async def heard(self, count: int, state: str = "true") -> None:
        """Wait until the channel's place has heard of so many alerts."""
        asked = text(f"SELECT count(*) FROM digest_alerts WHERE {state}")  # noqa: S608 - words of tests
        async with asyncio.timeout(30):
            while True:
                async with self.sessions() as session:
                    if await session.scalar(asked) == count:
                        return
                await asyncio.sleep(0.05)

    def told(self, status: str = "firing", name: str = "") -> list[list[dict[str, Any]]]:
        """Give the alerts of each notification that tells one of this status and name."""
        bodies = [request.body["alerts"] for request in self.sink.at("/pager")]
        return [
            alerts
            for alerts in bodies
            if any(a["status"] == status and name in {"", a["labels"]["alertname"]} for a in alerts)
        ]

    async def wait_for(self, count: int, status: str = "firing", name: str = "") -> None:
        """Wait until there were so many notifications."""
        await until(lambda: len(self.told(status, name)) >= count, 40)


@asynccontextmanager
async def listening(app: FastAPI, port: int) -> AsyncIterator[None]:
    """Serve the application on a port of loopback."""
    config = uvicorn.Config(app, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", port)) as listener:
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup([listener])
        try:
            yield
        finally:
            await server.shutdown([listener])


@pytest.fixture
async def world(  # noqa: PLR0917 - what it is made of
    app: FastAPI,
    settings: Settings,
    sessions: Sessions,
    client: AsyncClient,
    service: Service,
    tmp_path: Path,
) -> AsyncIterator[World]:
    """Give the world before a channel is made."""
    port = free_port()
    ours = settings.model_copy(
        update={
            "data": tmp_path,
            "controlplane_url": f"http://127.0.0.1:{port}",
            "group_wait": 1.0,
            "group_interval": 1.0,
        }
    )
    folder = ours.prometheus_folder
    (folder / "secrets").mkdir(parents=True)
    token = (await service(Permission.ALERTS_INGEST)).headers["authorization"].split()[1]
    (folder / "secrets" / "alertmanager.token").write_text(token)
    server = running.Alertmanager(folder)
    before = app.state.destinations, app.state.sender
    app.state.destinations = Destinations((ip_network("127.0.0.0/8"),))
    async with (
        listening(app, port),
        sink() as web,
        Alertmanager.at(server.url) as alertmanager,
        Notifier.at(server.url) as notifier,
        AsyncExitStack() as cleanup,
    ):
        deployer = RoutingDeployer(ours, sessions, notifier, app.state.vault, tool("amtool"))
        parts = (app, web, server, alertmanager, deployer, cleanup)
        world = World(ours, sessions, client, *parts)
        app.state.sender = world.sender()
        yield world
    app.state.destinations, app.state.sender = before
