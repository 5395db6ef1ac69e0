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
    group: Annotated[str | None, typer.Option(help="Only on what this group holds.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only on what carries this tag.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a person a role, on everything unless a site, a group or a tag is named."""
    given = {ScopeKind.SITE: site, ScopeKind.GROUP: group, ScopeKind.TAG: tag}
    scopes = [kind for kind, value in given.items() if value]
    if len(scopes) > 1:
        raise typer.BadParameter("a grant is about a site, about a group or about a tag")
    scope = scopes[0] if scopes else ScopeKind.EVERYTHING
    data = GrantCreate(role=role, scope=scope, site=site, group=group, tag=tag)

    async def work(session: AsyncSession) -> GrantRead:
        return await grants.give(session, shell(), await users.get(session, user), data)

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command("list")
def list_(user: str, *, as_json: AsJson = False) -> None:
    """List what a person holds."""

    async def work(session: AsyncSession) -> list[GrantRead]:
        found = await users.get(session, user)
        return (await grants.read(session, [found.id]))[found.id]

    columns = ("id", "role", "scope", "site", "group", "tag")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def remove(user: str, grant: UUID) -> None:
    """Take a role back, by the id of the grant."""

    async def work(session: AsyncSession) -> None:
        await grants.take(session, shell(), await users.get(session, user), grant)

    transact(Settings(), work)
