"""`chm exporter`: the exporters that share the devices."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings
from controlplane.targets.exporters import service
from controlplane.targets.exporters.schemas import ExporterCreate, ExporterRead, ExporterUpdate

app = typer.Typer(help="Exporters: they share the devices.", no_args_is_help=True)

COLUMNS = ("name", "address", "site", "weight", "draining", "source", "devices")


@app.command()
def add(
    name: str,
    address: Annotated[str, typer.Argument(help="host:port, as Prometheus reaches it.")],
    *,
    site: Annotated[str | None, typer.Option(help="Only for devices there and below.")] = None,
    weight: Annotated[int, typer.Option(help="Its share of the devices.")] = 1,
    draining: Annotated[bool, typer.Option("--draining", help="Without devices yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register an exporter."""
    data = ExporterCreate(name=name, address=address, site=site, weight=weight, draining=draining)
    settings = Settings()

    async def work(session: AsyncSession) -> ExporterRead:
        return await service.create(session, shell(), settings, data)

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List exporters, and how many devices each asks."""
    settings = Settings()
    found = transact(settings, lambda session: service.read(session, settings))
    output.rows(found, COLUMNS, as_json=as_json)


@app.command()
def drain(name: str, *, as_json: AsJson = False) -> None:
    """Give the devices of an exporter to the others; it still answers for them."""
    _change(name, ExporterUpdate(draining=True), as_json=as_json)


@app.command()
def resume(name: str, *, as_json: AsJson = False) -> None:
    """Give an exporter its share of the devices."""
    _change(name, ExporterUpdate(draining=False), as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove an exporter; drain it first, and nothing is missed."""
    settings = Settings()
    transact(settings, lambda session: service.delete(session, shell(), settings, name))


def _change(name: str, data: ExporterUpdate, *, as_json: bool) -> None:
    settings = Settings()

    async def work(session: AsyncSession) -> ExporterRead:
        return await service.update(session, shell(), settings, name, data)

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)
