"""`chm session`: logins of people."""

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import accounts, sessions
from controlplane.auth.actor import shell
from controlplane.auth.schemas import SessionRead
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings
from controlplane.users import service as users

app = typer.Typer(help="Logins of people.", no_args_is_help=True)

One = Annotated[UUID | None, typer.Option("--session", help="Only this one; else all.")]


@app.command("list")
def list_(name: str, *, as_json: AsJson = False) -> None:
    """List the logins of a person that can be used, the newest first."""

    async def work(session: AsyncSession) -> list[SessionRead]:
        user = await users.get(session, name)
        return [SessionRead.model_validate(s) for s in await sessions.living(session, user.id)]

    columns = ("id", "delivery", "address", "user_agent", "created_at", "last_used_at")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def revoke(name: str, *, one: One = None) -> None:
    """End the logins of a person; whoever holds one is refused from the next request on."""
    transact(Settings(), lambda session: accounts.end_sessions(session, shell(), name, one))
