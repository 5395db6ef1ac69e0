"""`chm event`: the traps that devices sent."""

from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings
from controlplane.traps import queries
from controlplane.traps.schemas import EventQuery, EventRead

app = typer.Typer(help="Traps that devices sent.", no_args_is_help=True)

COLUMNS = ("at", "device", "severity", "trap", "text")


@app.command("list")
def list_(
    *,
    device: Annotated[list[str] | None, typer.Option(help="Only of these devices.")] = None,
    trap: Annotated[list[str] | None, typer.Option(help="Only these traps.")] = None,
    search: Annotated[str, typer.Option("--search", "-q", help="Words that occur.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List events, the newest first."""
    given: dict[str, Any] = {"device": device, "trap": trap, "q": search}
    wanted = EventQuery.model_validate({name: value for name, value in given.items() if value})

    async def work(session: AsyncSession) -> list[EventRead]:
        statement = queries.events(shell(), wanted).order_by(queries.ORDERING["at"].desc())
        return [EventRead.model_validate(e) for e in await session.scalars(statement.limit(limit))]

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)
