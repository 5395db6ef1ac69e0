"""`chm device`: the devices of the inventory."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output, transfer
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact, vault
from controlplane.devices import inventory, queries, service
from controlplane.devices.addresses import Reach
from controlplane.devices.models import Status
from controlplane.devices.schemas import (
    DeviceCreate,
    DeviceFilters,
    DeviceRead,
    DeviceUpdate,
)
from controlplane.settings import Settings
from controlplane.targets import polling

app = typer.Typer(help="Devices of the inventory.", no_args_is_help=True)
app.command("import")(transfer.import_)
app.command()(transfer.export)

COLUMNS = (
    *("name", "address", "port", "site", "role", "vendor"),
    *("status", "tags", "credentials", "parents"),
)
SILENT = 1  # the exit code when a device did not answer all it was asked
POLLED = ("name", "outcome", "seconds", "samples", "found", "detail", "hint")
OUTCOMES = {"ok": "green", "not_needed": "dim", "": "red"}  # the last one for any other


@app.command()
def add(
    name: str,
    address: str,
    *,
    port: Annotated[int, typer.Option(help="UDP port of the SNMP agent.")] = 161,
    site: Annotated[str | None, typer.Option(help="Where it stands.")] = None,
    role: Annotated[str | None, typer.Option(help="What it does, such as core.")] = None,
    vendor: Annotated[str, typer.Option(help="Who made it.")] = "",
    poll_class: Annotated[str | None, typer.Option(help="How often it is asked.")] = None,
    profile: Annotated[str | None, typer.Option(help="Instead of identifying it.")] = None,
    module: Annotated[list[str] | None, typer.Option(help="In addition to the profile's.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="May be given several times.")] = None,
    credential: Annotated[list[str] | None, typer.Option(help="To try, in order.")] = None,
    parent: Annotated[list[str] | None, typer.Option(help="The way to it leads there.")] = None,
    status: Annotated[Status, typer.Option()] = Status.ACTIVE,
    as_json: AsJson = False,
) -> None:
    """Add a device."""
    data = DeviceCreate.model_validate(
        {
            "name": name,
            "address": address,
            "port": port,
            "site": site,
            "role": role,
            "vendor": vendor,
            "poll_class": poll_class,
            "profile": profile,
            "modules": module or [],
            "tags": tag or [],
            "credentials": credential or [],
            "parents": parent or [],
            "status": status,
        }
    )

    settings = Settings()
    Reach.of(settings).check([("/address", data.address)])

    async def work(session: AsyncSession) -> DeviceRead:
        return await service.create(session, shell(), data)

    _show(transact(settings, work), as_json=as_json)


@app.command("list")
def list_(
    *,
    site: Annotated[str | None, typer.Option(help="Only at this site.")] = None,
    role: Annotated[str | None, typer.Option(help="Only of this role.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Only of this vendor.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only in this status.")] = None,
    group: Annotated[str | None, typer.Option(help="Only what this group holds.")] = None,
    q: Annotated[str, typer.Option(help="Part of a name or address.")] = "",
    as_json: AsJson = False,
) -> None:
    """List devices."""
    filters = {"site": site, "role": role, "vendor": vendor, "status": status, "group": group}
    query = DeviceFilters.model_validate({**filters, "q": q})

    async def work(session: AsyncSession) -> Sequence[DeviceRead]:
        found = await session.scalars(queries.devices(shell(), query).order_by("name"))
        return await inventory.read(session, shell(), list(found))

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def show(name: str, *, as_json: AsJson = False) -> None:
    """Show a device."""

    async def work(session: AsyncSession) -> DeviceRead:
        device = await service.get(session, shell(), name)
        return await service.read(session, shell(), device)

    _show(transact(Settings(), work), as_json=as_json)


@app.command()
def rename(name: str, to: str, *, as_json: AsJson = False) -> None:
    """Rename a device; its history, alerts and events go with it."""
    data = DeviceUpdate(name=to)

    async def work(session: AsyncSession) -> DeviceRead:
        return await service.update(session, shell(), name, data)

    _show(transact(Settings(), work), as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a device behind which no other stands."""

    async def work(session: AsyncSession) -> None:
        await service.delete(session, shell(), name)

    transact(Settings(), work)


@app.command()
def poll(
    name: str,
    *,
    last: Annotated[
        bool, typer.Option("--last", help="Show the last poll, as of a trap, and ask nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask a device now, monitored or not; exit code 1 when it does not answer all it was asked."""
    settings = Settings()
    if last:
        told = transact(settings, lambda session: polling.last(session, shell(), name))
    else:
        poller = polling.Poller(vault(settings), settings)
        told = transact(settings, lambda session: poller.run(session, shell(), name))
    if as_json or not sys.stdout.isatty():
        output.item(told.model_dump(mode="json"), as_json=True)
    else:
        output.item(told.model_dump(mode="json", exclude={"collectors"}), as_json=False)
        output.rows(told.collectors, POLLED, as_json=False, colours=OUTCOMES)
    if not told.complete:
        raise typer.Exit(SILENT)


def _show(device: DeviceRead, *, as_json: bool) -> None:
    output.item(device.model_dump(mode="json"), as_json=as_json)
