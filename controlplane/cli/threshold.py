"""`chm threshold`: the values above which alerts fire, for all devices and for some."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.auth.permissions import Permission
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.devices import service as devices
from controlplane.errors import Invalid, NotFound
from controlplane.metrics import queries, service
from controlplane.metrics.models import Metric, Scope, Threshold
from controlplane.metrics.schemas import (
    InForceRead,
    ThresholdCreate,
    ThresholdQuery,
    ThresholdRead,
    ThresholdUpdate,
)
from controlplane.settings import Settings

app = typer.Typer(help="Thresholds, for all devices and for some.", no_args_is_help=True)

COLUMNS = ("scope", "role", "site", "group", "device", "metric", "warning", "critical", "weight")

Role = Annotated[str | None, typer.Option(help="For the devices of this role.")]
Site = Annotated[str | None, typer.Option(help="For the devices at this site, or below it.")]
Group = Annotated[str | None, typer.Option(help="For the devices in this group.")]
Device = Annotated[str | None, typer.Option(help="For this device alone.")]


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List what was set."""

    async def work(session: AsyncSession) -> Sequence[ThresholdRead]:
        found = queries.thresholds(shell(), ThresholdQuery()).order_by("scope", "metric", "id")
        return await service.read(session, list(await session.scalars(found)))

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def show(device: str, *, as_json: AsJson = False) -> None:
    """Show what is in force for a device, and who says so."""

    async def work(session: AsyncSession) -> Sequence[InForceRead]:
        found = await devices.get(session, shell(), device, Permission.THRESHOLDS_READ)
        return await service.of_device(session, shell(), found)

    columns = ("metric", "warning", "critical", "source")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command("set")
def set_(
    metric: Metric,
    *,
    warning: Annotated[float, typer.Option(help="A ratio from 0 to 1, Celsius, or seconds.")],
    critical: Annotated[float, typer.Option(help="In the same unit, and above the warning.")],
    role: Role = None,
    site: Site = None,
    group: Group = None,
    device: Device = None,
    weight: Annotated[int, typer.Option(help="Among the groups that hold a device.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Set the thresholds of a metric for all devices, or for those of a scope."""
    about = _about(role, site, group, device)
    values = {"warning": warning, "critical": critical}
    heavy = {"weight": weight} if group else {}
    data = ThresholdCreate.model_validate({**about, "metric": metric, **values, "weight": weight})

    async def work(session: AsyncSession) -> ThresholdRead:
        known = await _known(session, about, metric)
        if known is None:
            return await service.create(session, shell(), data)
        changes = ThresholdUpdate.model_validate({**values, **heavy})
        return await service.update(session, shell(), known.id, changes)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command()
def unset(
    metric: Metric,
    *,
    role: Role = None,
    site: Site = None,
    group: Group = None,
    device: Device = None,
) -> None:
    """Take the thresholds of a metric back: the next wider scope counts again."""
    about = _about(role, site, group, device)

    async def work(session: AsyncSession) -> None:
        known = await _known(session, about, metric)
        if known is None:
            raise NotFound(f"no threshold of {metric.value} is set there")
        await service.delete(session, shell(), known.id)

    transact(Settings(), work)


def _about(
    role: str | None, site: str | None, group: str | None, device: str | None
) -> dict[str, Any]:
    """Give the scope and what it is about; without any, it is all devices."""
    options = {Scope.ROLE: role, Scope.SITE: site, Scope.GROUP: group, Scope.DEVICE: device}
    given = {scope: name for scope, name in options.items() if name is not None}
    if len(given) > 1:
        raise Invalid("thresholds are for one of --role, --site, --group and --device")
    for scope, name in given.items():
        return {"scope": scope, scope.value: name}
    return {"scope": Scope.ALL}


async def _known(session: AsyncSession, about: dict[str, Any], metric: Metric) -> Threshold | None:
    query = ThresholdQuery.model_validate({**about, "metric": metric})
    found: Threshold | None = await session.scalar(queries.thresholds(shell(), query))
    return found
