"""`chm up`: from an empty folder to a running stack, and back to nothing at Ctrl-C."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from controlplane.settings import LOOPBACK, PRIVATE, Settings
from controlplane.stack import demo, embedded, preflight, services, setup
from controlplane.stack.service import Service
from controlplane.stack.supervisor import Supervisor

# A demo shows something within a minute; an operator's own choice wins.
DEMO = {
    "scrape_interval": 15,
    "sd_refresh_interval": 10,
    "down_for": 30,
    "management_networks": (*PRIVATE, *LOOPBACK),  # where the lab's devices are
}
NO_GRAFANA = "not found on the PATH; see grafana.com/grafana/download, then start again"


async def up(settings: Settings, console: Console, *, with_demo: bool) -> None:
    """Run the stack until a signal ends it; raises ConfigurationError where it cannot start."""
    if with_demo:
        chosen = settings.model_fields_set
        settings = settings.model_copy(
            update={name: value for name, value in DEMO.items() if name not in chosen}
        )
    settings = services.with_grafana(settings)
    supervisor = Supervisor(settings.data, lambda line: console.print(f"[yellow]![/] {line}"))
    with preflight.data_folder(settings):
        preflight.check_ports(settings, demo=with_demo)
        ended = _signals()
        starting = asyncio.create_task(_start(settings, supervisor, console, with_demo=with_demo))
        try:
            await _first(starting, ended)
            await ended.wait()
        finally:
            with _step(console, "Stopping everything"):
                await supervisor.stop()


async def _start(
    settings: Settings, supervisor: Supervisor, console: Console, *, with_demo: bool
) -> None:
    wanted = _wanted(settings, with_demo=with_demo)  # names what is missing before anything runs
    if settings.database_url is None:
        with _step(console, "Starting PostgreSQL"):
            cluster = await asyncio.to_thread(embedded.prepare, settings)
            await supervisor.start(embedded.service(cluster))
    with _step(console, "Preparing keys, schema, tokens, rules and dashboards"):
        await setup.initialise(settings)
    for service in wanted:
        with _step(console, f"Starting {service.name}"):
            await supervisor.start(service)
    if with_demo:
        with _step(console, "Importing the lab's devices"):
            await setup.import_first_inventory(settings, await demo.inventory(settings))
    password = await setup.first_admin(settings)
    console.print(_summary(wanted, password, services.grafana_password_file(settings)))


def _wanted(settings: Settings, *, with_demo: bool) -> list[Service]:
    optional = (services.lab(settings) if with_demo else None, services.grafana(settings))
    required = (
        services.controlplane_api(settings),
        services.worker(settings),
        services.exporter(settings),
        services.alertmanager(settings),
        services.prometheus(settings),
    )
    return [service for service in (*required, *optional) if service is not None]


def _summary(running: list[Service], password: str | None, grafana_password: Path) -> Table:
    table = Table(title="Catalyst Health Monitor is running", title_justify="left")
    table.add_column("service")
    table.add_column("where")
    for service in running:
        if service.url:
            table.add_row(service.name, service.url)
    has_grafana = any(service.name == "grafana" for service in running)
    if not has_grafana:
        table.add_row("grafana", NO_GRAFANA)
    table.add_section()
    table.add_row("user", "admin")
    table.add_row("password", password or "as given at the first start (chm user password admin)")
    if has_grafana:
        table.add_section()
        table.add_row("user of grafana", "admin")
        table.add_row("password", f"in {grafana_password}")
    table.caption = "Ctrl-C ends everything; the next start finds it as it was left."
    return table


def _signals() -> asyncio.Event:
    """Give an event that Ctrl-C, a plain kill or a closed terminal sets."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    return ended


async def _first(starting: asyncio.Task[None], ended: asyncio.Event) -> None:
    """Wait until the start is done or a signal comes, which calls it off."""
    waiting = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        if not starting.done():
            starting.cancel()
    with suppress(asyncio.CancelledError):  # a start that was called off is no error
        await starting


@contextmanager
def _step(console: Console, what: str) -> Iterator[None]:
    """Show what is being done while it is done, and leave a line when it is."""
    with console.status(f"{what} ..."):
        yield
    console.print(f"[green]✓[/] {what}")
