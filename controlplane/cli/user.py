"""`chm user`: people who may log in."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import accounts
from controlplane.auth.accounts import Account
from controlplane.auth.actor import shell
from controlplane.auth.passwords import Passwords
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.settings import Settings
from controlplane.users.models import Role, User

app = typer.Typer(help="People who may log in.", no_args_is_help=True)

Generate = Annotated[bool, typer.Option(help="Make a password and print it once.")]


@app.command()
def add(
    name: str,
    *,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    admin: Annotated[bool, typer.Option("--admin", help="Short for --role admin.")] = False,
    generate: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Add a person; the password is asked for, or made with --generate."""
    given = _password(generate=generate)
    chosen = Role.ADMIN if admin else role
    user = _hashing(
        lambda s, passwords: accounts.add(s, shell(), passwords, Account(name, given, chosen))
    )
    _show(user, given if generate else None, as_json=as_json)


@app.command()
def password(name: str, *, generate: Generate = False, as_json: AsJson = False) -> None:
    """Give a person a new password; it is asked for, or made with --generate."""
    given = _password(generate=generate)
    user = _hashing(lambda s, passwords: accounts.set_password(s, shell(), passwords, name, given))
    _show(user, given if generate else None, as_json=as_json)


def _password(*, generate: bool) -> str:
    if generate:
        return accounts.generate_password()
    prompted: str = typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    return prompted


def _hashing(work: Callable[[AsyncSession, Passwords], Awaitable[User]]) -> User:
    passwords = Passwords()
    try:
        return transact(Settings(), lambda session: work(session, passwords))
    finally:
        passwords.close()


def _show(user: User, password: str | None, *, as_json: bool) -> None:
    shown = {"name": user.name, "role": user.role.value}
    output.item({**shown, "password": password} if password else shown, as_json=as_json)
