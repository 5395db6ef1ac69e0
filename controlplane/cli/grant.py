"""`chm grant`: who holds which role on what."""

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import ScopeKind, shell
from controlplane.auth.roles import grants
from controlplane.auth.roles.schemas import GrantCreate, GrantRead
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings
from controlplane.users import service as users

app = typer.Typer(help="Grants: who holds which role on what.", no_args_is_help=True)


@app.command()
def add(
    user: str,
    role: str,
    *,
    site: Annotated[str | None, typer.Option(help="Only on this site and all below it.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only on what carries this tag.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a person a role, on everything unless a site or a tag is named."""
    if site and tag:
        raise typer.BadParameter("a grant is about a site or about a tag")
    scope = ScopeKind.SITE if site else ScopeKind.TAG if tag else ScopeKind.EVERYTHING
    data = GrantCreate(role=role, scope=scope, site=site, tag=tag)

    async def work(session: AsyncSession) -> GrantRead:
        return await grants.give(session, shell(), await users.get(session, user), data)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(user: str, *, as_json: AsJson = False) -> None:
    """List what a person holds."""

    async def work(session: AsyncSession) -> list[GrantRead]:
        found = await users.get(session, user)
        return (await grants.read(session, [found.id]))[found.id]

    columns = ("id", "role", "scope", "site", "tag")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def remove(user: str, grant: UUID) -> None:
    """Take a role back, by the id of the grant."""

    async def work(session: AsyncSession) -> None:
        await grants.take(session, shell(), await users.get(session, user), grant)

    transact(Settings(), work)
