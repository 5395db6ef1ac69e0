"""`chm token`: what services show instead of a login."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import service_tokens
from controlplane.auth.permissions import Permission
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings

app = typer.Typer(help="Tokens of services.", no_args_is_help=True)


@app.command()
def issue(
    name: str,
    *,
    permission: Annotated[list[Permission], typer.Option(help="May be given several times.")],
    as_json: AsJson = False,
) -> None:
    """Make a service's token and print it once; the one it had before ends."""

    async def work(session: AsyncSession) -> str:
        return await service_tokens.issue(session, name, permission)

    token = transact(Settings(), work)
    output.item({"name": name, "token": token}, as_json=as_json)
