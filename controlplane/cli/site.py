"""`chm site`: the places where devices stand."""

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.devices import queries, sites
from controlplane.devices.models import SiteKind
from controlplane.devices.schemas import SiteCreate, SiteQuery, SiteRead, SiteUpdate
from controlplane.settings import Settings

app = typer.Typer(help="Sites: places where devices stand.", no_args_is_help=True)


@app.command()
def add(
    name: str,
    *,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    kind: Annotated[SiteKind, typer.Option(help="What it is.")] = SiteKind.SITE,
    parent: Annotated[str | None, typer.Option(help="The site it is a part of.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a site."""
    data = SiteCreate(name=name, kind=kind, description=description, parent=parent)

    async def work(session: AsyncSession) -> SiteRead:
        return await sites.create(session, shell(), data)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(
    *,
    kind: Annotated[SiteKind | None, typer.Option(help="Only of this kind.")] = None,
    as_json: AsJson = False,
) -> None:
    """List sites."""
    query = SiteQuery.model_validate({"kind": kind})

    async def work(session: AsyncSession) -> Sequence[SiteRead]:
        found = await session.scalars(queries.sites(shell(), query).order_by("name"))
        return await sites.read(session, shell(), list(found))

    output.rows(
        transact(Settings(), work), ("name", "kind", "parent", "description"), as_json=as_json
    )


@app.command()
def rename(name: str, to: str, *, as_json: AsJson = False) -> None:
    """Rename a site; what stands there, and roles held there, stay."""
    data = SiteUpdate(name=to)

    async def work(session: AsyncSession) -> SiteRead:
        return await sites.update(session, shell(), name, data)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a site at which no device stands."""

    async def work(session: AsyncSession) -> None:
        await sites.delete(session, shell(), name)

    transact(Settings(), work)
