"""`chm role`: what may be given to people."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.auth.permissions import Permission
from controlplane.auth.roles import service
from controlplane.auth.roles.schemas import RoleCreate, RoleRead
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings

app = typer.Typer(help="Roles: what may be given to people.", no_args_is_help=True)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List roles, those that are built in and those that were made."""
    settings = Settings()

    async def work(session: AsyncSession) -> list[RoleRead]:
        found = await service.listed(session, settings.mfa_required_roles)
        return [RoleRead.model_validate(role) for role in found]

    columns = ("name", "built_in", "mfa_required", "description")
    output.rows(transact(settings, work), columns, as_json=as_json)


@app.command()
def show(name: str, *, as_json: AsJson = False) -> None:
    """Show a role and its permissions."""
    settings = Settings()

    async def work(session: AsyncSession) -> RoleRead:
        role = await service.get(session, name, settings.mfa_required_roles)
        return RoleRead.model_validate(role)

    output.item(transact(settings, work).model_dump(mode="json"), as_json=as_json)


@app.command()
def create(
    name: str,
    *,
    permission: Annotated[list[Permission], typer.Option(help="May be given several times.")],
    description: Annotated[str, typer.Option(help="For people.")] = "",
    mfa_required: Annotated[bool, typer.Option(help="Counts with a second factor only.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a role."""
    data = RoleCreate(
        name=name, description=description, permissions=permission, mfa_required=mfa_required
    )

    async def work(session: AsyncSession) -> RoleRead:
        return RoleRead.model_validate(await service.create(session, shell(), data))

    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a role that nobody holds."""

    async def work(session: AsyncSession) -> None:
        await service.delete(session, shell(), name)

    transact(Settings(), work)
