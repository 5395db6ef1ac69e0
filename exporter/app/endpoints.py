"""HTTP: translate requests into scrapes, decide nothing."""

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TypeVar

import yaml
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from exporter.app import landing, poll, scrapes, verify
from exporter.app.exporter import Exporter
from exporter.config import Auth, ConfigError
from exporter.errors import BadRequest, ProtocolError, Unavailable, UnknownDevice
from exporter.inventory import Token
from exporter.metrics import Family
from exporter.probe import Order, pings
from exporter.protocols.icmp import Pace
from exporter.protocols.snmp import Target

log = logging.getLogger(__name__)

T = TypeVar("T")

Handle = Callable[[Request], Awaitable[Response]]

DEFAULT_MODULE, DEFAULT_AUTH = "if_mib", "public_v2"
AUTO = "auto"  # in place of a module: what the profile of the target says
STATUS = {BadRequest: 400, UnknownDevice: 404, Unavailable: 503}


def create_app(exporter: Exporter) -> ASGIApp:
    """Return the application; the inventory is kept fresh while it runs."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if exporter.inventory is None:
            yield
            return
        polling = asyncio.create_task(exporter.inventory.run())
        try:
            async with exporter.traps.open() if exporter.traps else nullcontext():
                yield
        finally:
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling
            await exporter.inventory.close()

    def bound(endpoint: Callable[[Exporter, Request], Awaitable[Response]]) -> Handle:
        async def handle(request: Request) -> Response:
            try:
                return await endpoint(exporter, request)
            except (BadRequest, UnknownDevice, Unavailable) as error:
                exporter.telemetry.request_errors.inc()
                return PlainTextResponse(f"{error}\n", STATUS[type(error)])

        return handle

    often = {"/snmp": bound(snmp), "/probe": bound(probe), "/icmp": bound(icmp)}
    paths = {
        "/": root,
        exporter.settings.metrics_path: metrics,
        "/config": config,
        "/-/healthy": healthy,
        "/-/ready": ready,
    }
    routes = [Route(path, handle) for path, handle in often.items()]
    routes += [Route(path, bound(endpoint)) for path, endpoint in paths.items()]
    routes.append(Route("/-/reload", bound(reload), methods=["GET", "POST", "PUT"]))
    if (file := exporter.settings.verify_token_file) is not None:
        token = Token(file)
        routes += [
            Route(order.PATH, order.endpoint(exporter, token), methods=["POST"])
            for order in (verify, poll)
        ]
    return _shortened(Starlette(routes=routes, lifespan=lifespan), often)


def _shortened(app: ASGIApp, often: Mapping[str, Handle]) -> ASGIApp:
    """Return an application that answers what is asked often without its router and middleware.

    These were a twentieth of the CPU of a scrape.
    """

    async def shortened(scope: Scope, receive: Receive, send: Send) -> None:
        handle = often.get(scope["path"]) if scope["type"] == "http" else None
        if handle is None or scope["method"] != "GET":
            await app(scope, receive, send)
        else:
            response = await handle(Request(scope, receive))
            await response(scope, receive, send)

    return shortened


async def snmp(exporter: Exporter, request: Request) -> Response:
    """Scrape modules of a target, with the parameters of snmp_exporter."""
    configuration = exporter.configuration
    named = _modules(request)
    # An operator's own module of that name is meant, where there is one.
    known = [name for name in named if name != AUTO or AUTO in configuration.modules]
    tables = {name: _known(name, configuration.modules, "module") for name in known}
    order = Order(
        Target.parse(_target(request)),
        _auth(exporter, request),
        tables,
        _partial(request),
        _engine_id(request),
        configuration if len(known) < len(named) else None,
    )
    # By names: to hash an auth takes longer than all of this, and a key is hashed again and again.
    auth = (_once(request, "auth") or DEFAULT_AUTH, _once(request, "snmp_context"))
    asked = (str(order.target), *auth, order.partial, order.context_engine_id)
    key = (*asked, tuple(named), id(configuration))

    async def work(deadline: float) -> list[Family]:
        return await exporter.scraper.scrape(order, deadline)

    try:
        return await scrapes.serve(exporter, request, key, work)
    except ProtocolError as error:
        exporter.telemetry.probe_errors.labels(error.reason).inc()
        log.warning("scrape failed", extra={"modules": ",".join(named), "error": str(error)})
        text = f"An error has occurred while serving metrics:\n\nerror collecting metric: {error}\n"
        return PlainTextResponse(text, 500)


async def probe(exporter: Exporter, request: Request) -> Response:
    """Probe a device of the inventory by name; a device that fails is data, and a 200."""
    name, inventory = _target(request), exporter.inventory
    if inventory is None:
        raise UnknownDevice(name)
    if (snapshot := inventory.snapshot) is None:
        raise Unavailable("No snapshot of the inventory yet")
    if name not in snapshot.devices:
        raise UnknownDevice(name)
    configuration = exporter.configuration

    async def work(deadline: float) -> list[Family]:
        return await exporter.prober.probe(name, snapshot, configuration, deadline)

    try:
        return await scrapes.serve(exporter, request, (name, id(snapshot), id(configuration)), work)
    except ProtocolError as error:
        exporter.telemetry.probe_errors.labels(error.reason).inc()
        raise Unavailable(str(error)) from error


async def icmp(exporter: Exporter, request: Request) -> Response:
    """Ping a host, with the answers of blackbox_exporter and some more."""
    target = Target.parse(_target(request))
    pace = Pace(
        int(_number(request, "count", 4, 1, 100)),
        _number(request, "interval", 0.2, 0.01, 60),
        _number(request, "timeout", 1.0, 0.01, 60),
    )

    async def work(deadline: float) -> list[Family]:
        return await pings.probe(target, pace, deadline, exporter.telemetry)

    try:
        return await scrapes.serve(exporter, request, (target, pace), work)
    except ProtocolError as error:
        exporter.telemetry.probe_errors.labels(error.reason).inc()
        raise Unavailable(str(error)) from error


def _number(request: Request, name: str, default: float, least: float, most: float) -> float:
    given = _once(request, name)
    try:
        value = float(given) if given else default
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise BadRequest(f"'{name}' parameter must be from {least} to {most}: '{given}'")
    return value


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


def _auth(exporter: Exporter, request: Request) -> Auth:
    """Return the auth asked for, in the context that the request names."""
    auth = _known(_once(request, "auth") or DEFAULT_AUTH, exporter.configuration.auths, "auth")
    if context := _once(request, "snmp_context"):
        auth = replace(auth, context_name=context)
    return auth


def _engine_id(request: Request) -> bytes:
    """Return the engine whose context is asked for (RFC 3411: 5 to 32 octets), mostly none."""
    given = _once(request, "snmp_engineid")
    if not re.fullmatch(r"((0x)?([0-9a-fA-F]{2}){5,32})?", given):
        raise BadRequest(f"'snmp_engineid' parameter is not an engine id in hex: '{given}'")
    return bytes.fromhex(given.removeprefix("0x"))


def _partial(request: Request) -> bool:
    given = _once(request, "partial")
    if given not in {"", "true", "false"}:
        raise BadRequest(f"'partial' parameter must be true or false: '{given}'")
    return given == "true"


def _modules(request: Request) -> list[str]:
    """Return the modules asked for, repeated or comma separated, each once and in order."""
    given = request.query_params.getlist("module") or [DEFAULT_MODULE]
    names = dict.fromkeys(name for text in given for name in text.split(","))
    return list(names)


async def metrics(exporter: Exporter, request: Request) -> Response:
    """Return what the exporter says about itself."""
    exporter.telemetry.tasks.set(len(asyncio.all_tasks()))
    body = await asyncio.to_thread(generate_latest, exporter.telemetry.exposed())
    return scrapes.compressed(request, body, CONTENT_TYPE_LATEST)


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
        await exporter.reload()
    except ConfigError as error:
        return PlainTextResponse(f"failed to reload config: {error}\n", 500)
    exporter.siblings()
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


async def root(exporter: Exporter, _request: Request) -> Response:
    """Return the landing page."""
    return HTMLResponse(landing.page(exporter))
