"""`chm interface`: the interfaces of devices."""

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output, transfer
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact, with_sessions
from controlplane.devices.interfaces import queries, service
from controlplane.devices.interfaces.models import Importance, Monitored, OperStatus
from controlplane.devices.interfaces.schemas import (
    InterfaceDetail,
    InterfaceFilters,
    InterfaceRead,
    InterfaceUpdate,
)
from controlplane.settings import Settings
from controlplane.transfer import service as transfers
from controlplane.transfer.formats import Format
from controlplane.transfer.schemas import InterfaceExportQuery

app = typer.Typer(help="Interfaces that devices have told of.", no_args_is_help=True)

COLUMNS = (
    *("device", "name", "alias", "speed", "admin_status", "oper_status", "gone_at"),
    *("description", "importance", "monitored"),
)

OfDevice = Annotated[str | None, typer.Option(help="Only of this device.")]
AtSite = Annotated[str | None, typer.Option(help="Only at this site.")]
InState = Annotated[OperStatus | None, typer.Option(help="Only in this state.")]
AsImportant = Annotated[Importance | None, typer.Option(help="Only as important.")]
SoMonitored = Annotated[Monitored | None, typer.Option(help="Only so monitored.")]
Q = Annotated[str, typer.Option(help="Part of device, name, alias or description.")]


@app.command("list")
def list_(
    *,
    device: OfDevice = None,
    site: AtSite = None,
    status: InState = None,
    importance: AsImportant = None,
    monitored: SoMonitored = None,
    q: Q = "",
    as_json: AsJson = False,
) -> None:
    """List interfaces by device and name."""
    filters = {"device": device, "site": site, "oper_status": status}
    decided = {"importance": importance, "monitored": monitored}
    query = InterfaceFilters.model_validate({**filters, **decided, "q": q})

    async def work(session: AsyncSession) -> Sequence[InterfaceRead]:
        found = queries.interface_ids(shell(), query).order_by(*queries.BY_DEVICE)
        return await service.shown(session, (await session.scalars(found)).all())

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def export(
    *,
    form: transfer.Form = Format.JSON,
    out: transfer.Out = None,
    device: OfDevice = None,
    site: AtSite = None,
    status: InState = None,
    importance: AsImportant = None,
    monitored: SoMonitored = None,
    q: Q = "",
) -> None:
    """Write what is said of interfaces; `chm import` reads it, with `--kind interfaces` a CSV."""
    filters = {"device": device, "site": site, "oper_status": status}
    decided = {"importance": importance, "monitored": monitored}
    query = InterfaceExportQuery.model_validate({"format": form, **filters, **decided, "q": q})

    with transfer.written(out) as file:
        with_sessions(
            Settings(), lambda given: transfers.export_interfaces(given, shell(), query, file)
        )


@app.command()
def show(device: str, name: str, *, as_json: AsJson = False) -> None:
    """Show an interface, and what has changed about it."""

    async def work(session: AsyncSession) -> InterfaceDetail:
        interface = await service.find(session, shell(), device, name)
        return await service.detail(session, interface)

    _show(transact(Settings(), work), as_json=as_json)


@app.command("set")
def set_(
    device: str,
    name: str,
    *,
    description: Annotated[str | None, typer.Option(help="For people.")] = None,
    importance: Annotated[Importance | None, typer.Option(help="How loud it is.")] = None,
    monitored: Annotated[Monitored | None, typer.Option(help="Whether people are told.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say something of an interface; what is left out stays."""
    given = {"description": description, "importance": importance, "monitored": monitored}
    data = InterfaceUpdate.model_validate({k: v for k, v in given.items() if v is not None})

    async def work(session: AsyncSession) -> InterfaceDetail:
        interface = await service.find(session, shell(), device, name)
        return await service.update(session, shell(), interface.id, data)

    _show(transact(Settings(), work), as_json=as_json)


def _show(interface: InterfaceDetail, *, as_json: bool) -> None:
    output.item(interface.model_dump(mode="json"), as_json=as_json)
