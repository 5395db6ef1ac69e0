"""`chm site`: the places where devices stand."""

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.devices import queries, service
from controlplane.devices.schemas import SiteCreate, SiteRead
from controlplane.settings import Settings

app = typer.Typer(help="Sites: places where devices stand.", no_args_is_help=True)


@app.command()
def add(
    name: str,
    *,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a site."""
    data = SiteCreate(name=name, description=description)

    async def work(session: AsyncSession) -> SiteRead:
        return SiteRead.model_validate(await service.create_site(session, data))

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List sites."""

    async def work(session: AsyncSession) -> Sequence[SiteRead]:
        sites = await session.scalars(queries.sites(None).order_by("name"))
        return [SiteRead.model_validate(site) for site in sites]

    output.rows(transact(Settings(), work), ("name", "description"), as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a site at which no device stands."""

    async def work(session: AsyncSession) -> None:
        await service.delete_site(session, name)

    transact(Settings(), work)
