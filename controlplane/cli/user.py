"""`chm user`: people who may log in."""

import asyncio
import secrets
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.passwords import Passwords
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings
from controlplane.users import service
from controlplane.users.models import Role, User

app = typer.Typer(help="People who may log in.", no_args_is_help=True)

PASSWORD_BYTES = 18  # 144 random bits, 24 characters


@app.command()
def add(
    name: str,
    *,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    admin: Annotated[bool, typer.Option("--admin", help="Short for --role admin.")] = False,
    generate: Annotated[bool, typer.Option(help="Make a password and print it once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a person; the password is asked for, or made with --generate."""
    password = (
        generate_password()
        if generate
        else typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    )
    service.check_password(password)
    chosen = Role.ADMIN if admin else role

    async def work(session: AsyncSession) -> User:
        return await add_user(session, name, password, chosen)

    user = transact(Settings(), work)
    shown = {"name": user.name, "role": user.role.value}
    output.item({**shown, "password": password} if generate else shown, as_json=as_json)


def generate_password() -> str:
    """Make a password nobody can guess."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


async def add_user(session: AsyncSession, name: str, password: str, role: Role) -> User:
    """Add a person with a password."""
    passwords = Passwords()
    try:
        return await service.add(session, name, await passwords.hash(password), role)
    finally:
        await asyncio.to_thread(passwords.close)
