"""`chm token`: what services and people's programs show instead of a login."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import api_tokens, service_tokens
from controlplane.auth.actor import shell
from controlplane.auth.permissions import Permission
from controlplane.auth.schemas import TokenListed
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.errors import NotFound
from controlplane.settings import Settings

app = typer.Typer(help="Tokens of services, and of people's programs.", no_args_is_help=True)


@app.command()
def issue(
    name: str,
    *,
    permission: Annotated[list[Permission], typer.Option(help="May be given several times.")],
    expires: Annotated[
        datetime | None, typer.Option(help="When it ends, in UTC; never if left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a service's token and print it once; the one it had before ends."""
    until = None if expires is None else expires.replace(tzinfo=UTC)

    async def work(session: AsyncSession) -> str:
        return await service_tokens.issue(session, shell(), name, permission, until)

    token = transact(Settings(), work)
    ends = until and until.isoformat()
    output.item({"name": name, "token": token, "expires_at": ends}, as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the tokens of services (NAME) and of programs (PERSON/NAME), without their secrets."""

    async def work(session: AsyncSession) -> list[TokenListed]:
        services = await service_tokens.listed(session)
        programs = await api_tokens.everybodys(session)
        return [
            *(
                TokenListed(name=s.name, scopes=s.permissions, expires_at=s.expires_at)
                for s in services
            ),
            *(
                TokenListed(
                    name=f"{owner.name}/{token.name}",
                    scopes=token.scopes,
                    networks=token.networks,
                    expires_at=token.expires_at,
                    last_used_at=token.last_used_at,
                )
                for token, owner in programs
            ),
        ]

    columns = ("name", "scopes", "networks", "expires_at", "last_used_at")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def revoke(name: str) -> None:
    """End a token by the name that `chm token list` shows."""

    async def work(session: AsyncSession) -> None:
        person, _, program = name.partition("/")
        if program:
            ended = await api_tokens.revoke_named(session, shell(), person, program)
        else:
            ended = await service_tokens.revoke(session, shell(), name)
        if not ended:
            raise NotFound(f"there is no token {name!r}")

    transact(Settings(), work)
