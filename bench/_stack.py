"""What a control plane with a fleet gives out, and the services that Prometheus talks with."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import yaml
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import _peers, _sites
from bench._installation import migrated
from bench._sites import Pages
from bench.targets import INTENT, PERMISSIONS, TARGETS
from controlplane.app import create_app
from controlplane.auth import service_tokens
from controlplane.auth.actor import shell
from controlplane.devices.addresses import Reach
from controlplane.provisioning import service
from controlplane.settings import Settings
from controlplane.transfer import service as transfer
from controlplane.transfer.schemas import ImportQuery
from controlplane.transfer.sources.draft import Given

EXPORTERS = "/api/v1/targets/exporters"


@dataclass(frozen=True)
class Stack:
    """What a control plane with the devices gives out."""

    settings: Settings
    answers: Mapping[str, bytes]  # by path
    rules: Mapping[str, str]  # files by name

    def groups(self) -> Iterator[dict[str, Any]]:
        """Yield the rule groups."""
        for text in self.rules.values():
            yield from yaml.safe_load(text)["groups"]

    def expressions(self) -> Iterator[str]:
        """Yield the expressions of all rules."""
        for group in self.groups():
            yield from (rule["expr"] for rule in group["rules"])


async def installed(settings: Settings, sites: int) -> Stack:
    """Fill a control plane with so many sites; give what it gives out."""
    app, site = create_app(settings), _sites.site()
    async with app.router.lifespan_context(app):
        async with app.state.sessions.begin() as session:
            given = Given(_sites.document(site, sites))
            report = await transfer.load(
                session, shell(), app.state.vault, Reach.of(settings), given, ImportQuery()
            )
            if report.errors:
                raise RuntimeError(report.errors[0].message)
            token = await service_tokens.issue(session, shell(), "bench", PERMISSIONS)
            wanted = await service.wanted(session, settings)
        answers = {}
        headers = {"Authorization": f"Bearer {token}"}
        url = settings.controlplane_url
        async with AsyncClient(transport=ASGITransport(app), base_url=url, headers=headers) as http:
            for path in (TARGETS, EXPORTERS, INTENT):
                answers[path] = (await http.get(path, timeout=60)).raise_for_status().content
    answers[INTENT] += _sites.decided(site, sites)
    answers["/metrics"] = b"chm_ruleset_deployment_failed 0\n"
    return Stack(settings, answers, wanted.files)


def prepared(folder: Path, sites: int) -> Stack:
    """Give the stack of so many sites: its services are all at one port, but Prometheus."""
    port, prometheus = _peers.free_port(), _peers.free_port()
    url = f"http://127.0.0.1:{port}"
    with migrated() as settings:
        chosen = Settings(
            data=settings.data,
            management_networks=settings.management_networks,
            rate_service=0,
            controlplane_port=port,
            exporter_port=port,
            alertmanager_port=port,
            prometheus_port=prometheus,
            public_url=url,
        )
        stack = asyncio.run(installed(chosen, sites))
    moved = chosen.model_copy(update={"data": folder})
    return Stack(moved, stack.answers, stack.rules)


class Feed:
    """The services that Prometheus talks with: all that they do is answer."""

    def __init__(self, stack: Stack, pages: Pages) -> None:
        self._answers, self._pages = stack.answers, pages
        self._port = stack.settings.controlplane_port
        self.asked: set[str] = set()  # the devices of which a scrape was answered

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve until the end of the block."""
        app = Starlette(
            routes=[
                Route("/probe", self._probe),
                Route("/{path:path}", self._answer, methods=["GET", "POST"]),
            ]
        )
        config = uvicorn.Config(app, port=self._port, log_level="error", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()

    async def _answer(self, request: Request) -> Response:
        if request.method == "POST":  # alerts, to an Alertmanager
            await request.body()
            return Response("{}")
        content = self._answers.get(request.url.path)
        if content is None:
            return Response(status_code=404)
        json = request.url.path.startswith("/api/")
        return Response(content, media_type="application/json" if json else "text/plain")

    async def _probe(self, request: Request) -> Response:
        target = request.query_params["target"]
        site, _, device = target.partition("-")
        page = self._pages.now(device, time.time())
        if target not in self.asked:
            self.asked.add(target)
            page = self._pages.past(device) + page
        page = page.replace(b'neighbor="', f'neighbor="{site}-'.encode())
        return Response(page, media_type="text/plain; version=0.0.4")
