"""One process that serves: everything it needs, made and passed on, and a clean end."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from exporter.app import Exporter, create_app, load
from exporter.app.access import Access
from exporter.app.tls import Rotating, protocol
from exporter.app.web import Web
from exporter.cli import sockets
from exporter.cli.flags import UsageError
from exporter.config import ConfigError
from exporter.inventory import Cache, Inventory, Token
from exporter.profiles.loader import Configuration
from exporter.protocols.snmp.notifications import Opener, engine_of
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from exporter.traps import Alerts, Desk, Outbox, Receiver, Sources, Storms, Traps

GRACE = 3  # seconds that running scrapes get when the process is told to end


def _alone() -> None:
    """Tell nobody: this process has no siblings."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a process among its siblings; on its own it leads, and tells nobody.

    `lifeline` is a file descriptor that ends when the parent does.
    """

    leads: bool = True
    siblings: Callable[[], None] = _alone
    gather: Callable[[], CollectorRegistry] | None = None
    lifeline: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What the files say, found to be usable."""

    settings: Settings
    configuration: Configuration
    web: Web | None


def check(settings: Settings, web_config: Path | None) -> Checked:
    """Return what there is to serve with; raise ConfigError on any bad file."""
    configuration = load(settings)
    for file in (settings.controlplane_token_file, settings.verify_token_file):
        if file is not None:
            Token(file)
    web = Web(web_config) if web_config is not None else None
    if web is not None and web.current().tls is not None:
        Rotating(web)
    return Checked(settings, configuration, web)


def run(
    checked: Checked,
    listening: Sequence[socket.socket],
    receiving: Sequence[socket.socket],
    place: Place,
) -> None:
    """Serve until told to end, and take traps where there are sockets for them."""
    settings = checked.settings
    registry = CollectorRegistry()
    if place.gather is None:
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
    telemetry = Telemetry(registry, place.gather)
    exporter = Exporter(
        settings,
        telemetry,
        checked.configuration,
        inventory(settings, telemetry, leads=place.leads),
        place.siblings,
    )
    if receiving:
        exporter.traps = traps(exporter, receiving)
    _settle()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(exporter, checked.web, listening, place))


def traps(exporter: Exporter, receiving: Sequence[socket.socket]) -> Traps | None:
    """Return the receiver of traps on these sockets, where there is an inventory."""
    settings, inventory, telemetry = exporter.settings, exporter.inventory, exporter.telemetry
    if inventory is None:
        return None
    desk = Desk(
        inventory,
        exporter.prober,
        lambda: exporter.configuration,
        telemetry,
        Outbox(inventory.client, inventory.token, telemetry),
        _alerts(settings, telemetry),
        settings.public_url,
    )
    receiver = Receiver(
        Opener(engine_of(settings.exporter_name or socket.gethostname())),
        inventory,
        Sources(inventory),
        Storms(settings.traps_rate),
        telemetry,
        desk.take,
        settings.traps_accept_unknown,
    )
    return Traps(receiving, receiver, desk)


def _alerts(settings: Settings, telemetry: Telemetry) -> Alerts | None:
    import httpx  # noqa: PLC0415 - slow to import, and only needed here

    if not settings.alertmanager_urls:
        return None
    urls = settings.alertmanager_urls
    return Alerts([httpx.AsyncClient(base_url=url, timeout=5) for url in urls], telemetry)


def _settle() -> None:
    """Spare the garbage collector what is here to stay, and the many short-lived values of scrapes.

    Measured, it took a tenth of the CPU of a scrape; hardly anything in it is left in circles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def inventory(settings: Settings, telemetry: Telemetry, *, leads: bool = True) -> Inventory | None:
    """Return the inventory where a control plane is set, with what is on disk in use."""
    if not settings.controlplane_url or settings.controlplane_token_file is None:
        return None
    token, cache = Token(settings.controlplane_token_file), None
    if settings.inventory_cache is not None:
        if not settings.inventory_cache.parent.is_dir():
            raise UsageError(f"--inventory.cache: no folder {settings.inventory_cache.parent}")
        cache = Cache(settings.inventory_cache, token.current)
    import httpx  # noqa: PLC0415 - slow to import, and only needed here

    client = httpx.AsyncClient(base_url=settings.controlplane_url, timeout=10)
    refresh, name = settings.inventory_refresh, settings.exporter_name
    made = Inventory(client, telemetry, refresh, cache, token, leads=leads, name=name)
    made.restore()
    return made


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to us: uvicorn raises them again when it is done, and we exit with 0."""
        yield


async def _serve(
    exporter: Exporter, web: Web | None, listening: Sequence[socket.socket], place: Place
) -> None:
    app = create_app(exporter)
    config = uvicorn.Config(
        app if web is None else Access(app, web),
        http="httptools",
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        backlog=sockets.BACKLOG,
    )
    if web is not None and web.current().tls is not None:
        config.http = protocol(web)
        expires = exporter.telemetry.certificate_expiry.set
        config.ssl_context_factory = lambda _config, _default: Rotating(web, expires)
    server = _Server(config)
    loop = asyncio.get_running_loop()
    end = partial(setattr, server, "should_exit", True)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    reloads: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGHUP, _reload, exporter, reloads)
    # Held back since the start, so that one who reloads at once is heard.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    if place.lifeline is not None:
        loop.add_reader(place.lifeline, end)
    for each in listening:
        host, port = each.getsockname()[:2]
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        logging.getLogger(__name__).info("listening", extra={"address": where})
    try:
        await server.serve(list(listening))
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def _reload(exporter: Exporter, running: set[asyncio.Task[None]]) -> None:
    """Begin a reload; what is wrong with a file is in the log, and the old one stays in use."""

    async def reload() -> None:
        with contextlib.suppress(ConfigError):
            await exporter.reload()

    task = asyncio.get_running_loop().create_task(reload())
    running.add(task)
    task.add_done_callback(running.discard)
