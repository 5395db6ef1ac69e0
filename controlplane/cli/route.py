"""`chm route`: which alerts go to which channels; a route is written as JSON."""

from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.grammar import Name
from controlplane.notifications import routes
from controlplane.notifications.schemas import RouteRead, RouteWrite
from controlplane.settings import Settings

app = typer.Typer(help="Routes: which alerts go to which channels.", no_args_is_help=True)

COLUMNS = (
    "position",
    "name",
    "channels",
    "severities",
    "sites",
    "roles",
    "teams",
    "alertnames",
    "stop",
)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List routes in the order in which they are asked."""

    async def work(session: AsyncSession) -> Sequence[RouteRead]:
        return await routes.listed(session)

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)


@app.command()
def put(
    name: str,
    file: Annotated[typer.FileText, typer.Argument(help="JSON; `-` is standard input.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Make a route, or change it to be exactly what the file says."""
    name = TypeAdapter(Name).validate_python(name)
    data = RouteWrite.model_validate_json(file.read())
    settings = Settings()

    async def work(session: AsyncSession) -> RouteRead:
        return await routes.put(session, shell(), settings, name, data)

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a route."""

    async def work(session: AsyncSession) -> None:
        await routes.delete(session, shell(), name)

    transact(Settings(), work)
