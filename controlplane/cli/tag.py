"""`chm tag`: the words that devices carry."""

from collections.abc import Sequence

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.devices.tags import queries, service
from controlplane.devices.tags.schemas import TagQuery, TagRead, TagUpdate
from controlplane.rows import Written
from controlplane.settings import Settings

app = typer.Typer(help="Tags of devices.", no_args_is_help=True)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the tags there are, and how many devices carry each."""

    async def work(session: AsyncSession) -> Sequence[TagRead]:
        tags = queries.carried(shell())
        found = await session.scalars(queries.listed(tags, TagQuery()).order_by(tags.c.name))
        return [TagRead.model_validate(row) for row in found]

    output.rows(transact(Settings(), work), ("name", "devices"), as_json=as_json)


@app.command()
def rename(name: str, to: str) -> None:
    """Rename a tag on all devices; one that is there already takes them."""
    data = TagUpdate(name=to)

    async def work(session: AsyncSession) -> Written:
        return await service.rename(session, shell(), name, data.name)

    transact(Settings(), work)


@app.command()
def delete(name: str) -> None:
    """Take a tag from all devices."""

    async def work(session: AsyncSession) -> Written:
        return await service.delete(session, shell(), name)

    transact(Settings(), work)
