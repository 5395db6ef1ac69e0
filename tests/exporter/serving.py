"""An application on a real port, as clients see it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from exporter.app import Exporter, create_app, load
from exporter.config import Auth
from exporter.inventory import Device, Inventory, Snapshot
from exporter.settings import Settings
from exporter.telemetry import Telemetry

INTERFACES, NAMES = "1.3.6.1.2.1.2", "1.3.6.1.2.1.31.1.1.1.1"


def made(folder: Path, modules: Mapping[str, Any] | None = None, **settings: Any) -> Exporter:
    """Return an exporter with modules of one's own."""
    path = folder / "modules.yml"
    path.write_text(json.dumps({"modules": modules or {}}))
    given = Settings(config_files=(str(path),), **settings)
    return Exporter(given, Telemetry(CollectorRegistry()), load(given), None)


def with_device(exporter: Exporter, port: int, *auths: str) -> Exporter:
    """Put one device, `edge1`, into the exporter's inventory."""
    device = Device("127.0.0.1", auths or ("lab",), port)
    known = Inventory(httpx.AsyncClient(), exporter.telemetry, 5)
    known.snapshot = Snapshot("1", {"lab": Auth()}, {"edge1": device})
    exporter.inventory = known
    return exporter


def column(name: str, oid: str) -> dict[str, Any]:
    """Return a metric for one column of texts, with its index as label."""
    index = {"labelname": "index", "type": "gauge"}
    return {"name": name, "oid": oid, "type": "DisplayString", "indexes": [index]}


@asynccontextmanager
async def calling(exporter: Exporter, timeout: float = 3) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ASYNC109 - Prometheus'
    """Yield a client of the application, without a network between."""
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(timeout)}
    transport = httpx.ASGITransport(create_app(exporter))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://exporter", headers=headers
    ) as client:
        yield client


@asynccontextmanager
async def listening(app: ASGIApp, **options: Any) -> AsyncIterator[int]:
    """Serve on a free port of 127.0.0.1; yield it."""
    config = uvicorn.Config(app, log_config=None, lifespan="off", **options)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        serving = asyncio.create_task(server._serve([sock]))
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            yield int(sock.getsockname()[1])
        finally:
            server.should_exit = True
            await serving


def counted(exporter: Exporter, name: str, **labels: str) -> float:
    """Return the value of one of the self metrics, 0 where it has none yet."""
    return exporter.telemetry.registry.get_sample_value(name, labels) or 0
