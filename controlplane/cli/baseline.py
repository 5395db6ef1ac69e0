"""`chm baseline`: aggregates of which Prometheus learns what is usual."""

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.metrics.baselines import queries, service
from controlplane.metrics.baselines.models import Aggregate, By, Method
from controlplane.metrics.baselines.schemas import (
    BaselineCreate,
    BaselineQuery,
    BaselineRead,
    BaselineUpdate,
)
from controlplane.settings import Settings

app = typer.Typer(help="Baselines: what is usual, and what is not.", no_args_is_help=True)


@app.command()
def add(
    name: str,
    aggregate: Aggregate,
    *,
    by: Annotated[By, typer.Option(help="What has a band of its own.")] = By.SITE,
    method: Annotated[Method, typer.Option(help="How it is learned.")] = Method.ADAPTIVE,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a baseline; it has bands after a day."""
    data = BaselineCreate(
        name=name, aggregate=aggregate, by=by, method=method, description=description
    )

    async def work(session: AsyncSession) -> BaselineRead:
        return BaselineRead.model_validate(await service.create(session, shell(), data))

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List baselines."""

    async def work(session: AsyncSession) -> Sequence[BaselineRead]:
        found = await session.scalars(queries.baselines(BaselineQuery()).order_by("name"))
        return [BaselineRead.model_validate(one) for one in found]

    columns = ("name", "aggregate", "by", "method", "enabled", "description")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def change(
    name: str,
    *,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable")] = None,
    description: Annotated[str | None, typer.Option(help="For people.")] = None,
    as_json: AsJson = False,
) -> None:
    """Describe a baseline, or switch it on and off."""
    given = {"enabled": enabled, "description": description}
    data = BaselineUpdate.model_validate({k: v for k, v in given.items() if v is not None})

    async def work(session: AsyncSession) -> BaselineRead:
        return BaselineRead.model_validate(await service.update(session, shell(), name, data))

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a baseline, with its bands."""

    async def work(session: AsyncSession) -> None:
        await service.delete(session, shell(), name)

    transact(Settings(), work)
