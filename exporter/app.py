"""HTTP: translate requests into scrapes, decide nothing."""

import asyncio
import html
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import yaml
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from exporter import exposition, probe
from exporter.config import ConfigError
from exporter.errors import BadRequest, ExporterError, ProtocolError, UnknownDevice
from exporter.inventory import Inventory
from exporter.metrics import Family
from exporter.probe import Prober
from exporter.profiles import loader
from exporter.profiles.loader import Configuration
from exporter.protocols.snmp import Target
from exporter.settings import Settings
from exporter.telemetry import Telemetry

log = logging.getLogger(__name__)

T = TypeVar("T")

DEFAULT_MODULE, DEFAULT_AUTH = "if_mib", "public_v2"
TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"
SHORTEST = 0.2  # seconds a scrape gets, however short Prometheus' timeout is
LONGEST = 86_400  # seconds nobody waits for a scrape


class HungUp(ExporterError):
    """The client closed the connection before the scrape was done."""


@dataclass(slots=True)
class Exporter:
    """What the endpoints share: settings, the configuration in use, the inventory, the memory."""

    settings: Settings
    telemetry: Telemetry
    configuration: Configuration
    inventory: Inventory | None
    prober: Prober = field(init=False)

    def __post_init__(self) -> None:
        self.prober = Prober(self.telemetry)
        self._loaded()

    def reload(self) -> None:
        """Read the configuration files again; raise ConfigError and keep the old on a bad one."""
        try:
            self.configuration = loader.load(self.settings.config_files)
        except ConfigError as error:
            self.telemetry.reload_successful.set(0)
            log.error("configuration not reloaded", extra={"error": str(error)})  # noqa: TRY400 - a mistake in a file, not in the code
            raise
        self._loaded()
        log.info("configuration reloaded")

    def _loaded(self) -> None:
        self.telemetry.reload_successful.set(1)
        self.telemetry.reloaded.set(time.time())

    def deadline(self, request: Request) -> float:
        """Return when, on the loop's clock, the answer must be on its way."""
        given = request.headers.get(TIMEOUT_HEADER)
        try:
            timeout = float(given) if given else self.settings.default_timeout
        except ValueError:
            raise BadRequest(f"{TIMEOUT_HEADER} is not a number: '{given}'") from None
        if not 0 < timeout < LONGEST:
            raise BadRequest(f"{TIMEOUT_HEADER} is out of range: '{given}'")
        wait = max(timeout - self.settings.timeout_offset, min(timeout / 2, SHORTEST))
        return asyncio.get_running_loop().time() + wait


def create_app(exporter: Exporter) -> Starlette:
    """Return the application; the inventory is kept fresh while it runs."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if exporter.inventory is None:
            yield
            return
        polling = asyncio.create_task(exporter.inventory.run())
        try:
            yield
        finally:
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling
            await exporter.inventory.client.aclose()

    def bound(
        endpoint: Callable[[Exporter, Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            try:
                return await endpoint(exporter, request)
            except (BadRequest, UnknownDevice) as error:
                exporter.telemetry.request_errors.inc()
                status = 404 if isinstance(error, UnknownDevice) else 400
                return PlainTextResponse(f"{error}\n", status)

        return handle

    paths = {
        "/": landing,
        "/snmp": snmp,
        "/probe": probe_device,
        "/metrics": metrics,
        "/config": config,
        "/-/healthy": healthy,
        "/-/ready": ready,
    }
    routes = [Route(path, bound(endpoint)) for path, endpoint in paths.items()]
    routes.append(Route("/-/reload", bound(reload), methods=["GET", "POST", "PUT"]))
    return Starlette(routes=routes, lifespan=lifespan)


async def snmp(exporter: Exporter, request: Request) -> Response:
    """Scrape modules of a target, with the parameters of snmp_exporter."""
    target = Target.parse(_target(request))
    auth = _known(_once(request, "auth") or DEFAULT_AUTH, exporter.configuration.auths, "auth")
    modules = exporter.configuration.modules
    tables = {name: _known(name, modules, "module") for name in _modules(request)}
    work = probe.scrape(target, auth, tables, exporter.deadline(request), exporter.telemetry)
    try:
        return await _scraped(exporter, request, work)
    except ProtocolError as error:
        exporter.telemetry.probe_errors.labels(error.reason).inc()
        log.warning("scrape failed", extra={"modules": ",".join(tables), "error": str(error)})
        text = f"An error has occurred while serving metrics:\n\nerror collecting metric: {error}\n"
        return PlainTextResponse(text, 500)


async def probe_device(exporter: Exporter, request: Request) -> Response:
    """Probe a device of the inventory by name; a device that fails is data, and a 200."""
    snapshot = exporter.inventory.snapshot if exporter.inventory else None
    name, deadline = _target(request), exporter.deadline(request)
    if snapshot is None or name not in snapshot.devices:
        raise UnknownDevice(name)
    work = exporter.prober.probe(name, snapshot, exporter.configuration, deadline)
    return await _scraped(exporter, request, work)


def _target(request: Request) -> str:
    targets = request.query_params.getlist("target")
    if len(targets) != 1 or not targets[0]:
        raise BadRequest("'target' parameter must be specified once")
    return targets[0]


def _known(name: str, among: Mapping[str, T], kind: str) -> T:
    if name not in among:
        raise BadRequest(f"Unknown {kind} '{name}'")
    return among[name]


def _once(request: Request, name: str) -> str:
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise BadRequest(f"'{name}' parameter must only be specified once")
    return given[0] if given else ""


def _modules(request: Request) -> list[str]:
    """Return the modules asked for, repeated or comma separated, each once and in order."""
    given = request.query_params.getlist("module") or [DEFAULT_MODULE]
    names = dict.fromkeys(name for text in given for name in text.split(","))
    return list(names)


async def _scraped(
    exporter: Exporter, request: Request, work: "Awaitable[list[Family]]"
) -> Response:
    with exporter.telemetry.in_flight.track_inprogress():
        try:
            families = await _while_connected(request, work)
        except HungUp:
            log.info("client hung up", extra={"path": request.url.path})
            return Response(status_code=499)
        page = exposition.render(families)
    exporter.telemetry.duplicates.inc(page.duplicates)
    return Response(page.body, headers={"Content-Type": exposition.CONTENT_TYPE})


async def _while_connected(request: Request, work: Awaitable[T]) -> T:
    """Return the result of `work`, or cancel it and raise HungUp when the client goes away."""
    working = asyncio.ensure_future(work)
    watching = asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HungUp
        return working.result()
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.wait({working, watching})


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def metrics(exporter: Exporter, _request: Request) -> Response:
    """Return what the exporter says about itself."""
    body = await asyncio.to_thread(generate_latest, exporter.telemetry.registry)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def healthy(_exporter: Exporter, _request: Request) -> Response:
    """Say that the process serves."""
    return PlainTextResponse("Healthy")


async def ready(exporter: Exporter, _request: Request) -> Response:
    """Say whether there is all it takes: the snapshot, too, where a control plane is set."""
    if exporter.inventory is not None and exporter.inventory.snapshot is None:
        return PlainTextResponse("No snapshot of the inventory yet\n", 503)
    return PlainTextResponse("Ready")


async def reload(exporter: Exporter, request: Request) -> Response:
    """Read the configuration again."""
    if request.method == "GET":
        return PlainTextResponse("POST method expected\n", 400)
    try:
        exporter.reload()
    except ConfigError as error:
        return PlainTextResponse(f"failed to reload config: {error}\n", 500)
    return Response()


async def config(exporter: Exporter, _request: Request) -> Response:
    """Return the auths in use, secrets hidden, and the names of modules and profiles."""
    configuration = exporter.configuration
    shown = {
        "auths": {name: auth.public() for name, auth in configuration.auths.items()},
        "modules": sorted(configuration.modules),
        "profiles": sorted(configuration.profiles),
    }
    return PlainTextResponse(yaml.safe_dump(shown, sort_keys=False))


async def landing(exporter: Exporter, _request: Request) -> Response:
    """Return a form to try a scrape by hand."""
    names = (("auth", exporter.configuration.auths), ("module", exporter.configuration.modules))
    lists = "".join(
        f'<datalist id="{kind}s">'
        + "".join(f'<option value="{html.escape(name)}">' for name in sorted(known))
        + "</datalist>"
        for kind, known in names
    )
    return HTMLResponse(_LANDING.format(lists=lists))


_LANDING = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>CHM exporter</title></head>
<body>
<h1>Catalyst Health Monitor: exporter</h1>
<form action="/snmp">
<p><label>Target <input name="target" placeholder="host[:port]" required></label></p>
<p><label>Auth <input name="auth" list="auths" value="public_v2"></label></p>
<p><label>Module <input name="module" list="modules" value="if_mib"></label></p>
{lists}
<p><button>Scrape</button></p>
</form>
<form action="/probe">
<p><label>Device of the inventory <input name="target" required></label></p>
<p><button>Probe</button></p>
</form>
<p><a href="/config">Config</a> <a href="/metrics">Metrics</a></p>
</body>
</html>
"""
