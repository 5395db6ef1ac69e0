"""`chm user`: people who may log in."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import accounts, post
from controlplane.auth.accounts import Account
from controlplane.auth.actor import shell
from controlplane.auth.onetime import Ticket
from controlplane.auth.passwords import Passwords
from controlplane.auth.permissions import Role
from controlplane.auth.roles import grants
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.clients import mail
from controlplane.settings import Settings
from controlplane.users import queries
from controlplane.users.models import User
from controlplane.users.schemas import UserQuery


class Listed(BaseModel):
    """A person as a list shows them."""

    name: str
    roles: list[str]
    full_name: str
    email: str | None
    active: bool
    last_login_at: datetime | None


app = typer.Typer(help="People who may log in.", no_args_is_help=True)

Generate = Annotated[bool, typer.Option(help="Make a password and print it once.")]


@app.command()
def add(
    name: str,
    *,
    role: Annotated[str, typer.Option(help="What they may do everywhere.")] = Role.VIEWER,
    admin: Annotated[bool, typer.Option("--admin", help="Short for --role admin.")] = False,
    generate: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Add a person; the password is asked for, or made with --generate."""
    given = _password(generate=generate)
    chosen = Role.ADMIN if admin else role
    new = Account(name, given, chosen)
    _hashing(lambda s, passwords: accounts.add(s, shell(), passwords, new))
    shown = {"name": name, "role": str(chosen)}
    output.item({**shown, "password": given} if generate else shown, as_json=as_json)


@app.command()
def invite(
    name: str,
    *,
    email: Annotated[str, typer.Option(help="Where the link is mailed, if a server is set.")] = "",
    role: Annotated[str, typer.Option(help="What they may do everywhere.")] = Role.VIEWER,
    as_json: AsJson = False,
) -> None:
    """Add a person who chooses the password by a link, which is mailed or printed."""
    new = Account(name, "", role, email)
    _link(lambda session: accounts.invite(session, shell(), new), as_json=as_json)


@app.command()
def reset(name: str, *, as_json: AsJson = False) -> None:
    """Make a link by which a person chooses a new password; it is mailed or printed."""
    _link(lambda session: accounts.reset(session, shell(), name), as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List people: what they are, whether they may log in, and when they last did."""

    async def work(session: AsyncSession) -> list[Listed]:
        people = list(await session.scalars(queries.listed(UserQuery()).order_by("name")))
        held = await grants.read(session, [user.id for user in people])
        return [
            Listed(**user.model_dump(), roles=[grant.where for grant in held[user.id]])
            for user in people
        ]

    columns = ("name", "roles", "full_name", "email", "active", "last_login_at")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def disable(name: str) -> None:
    """Keep a person out: their logins end, their tokens are refused."""
    transact(Settings(), lambda session: accounts.disable(session, shell(), name))


@app.command()
def enable(name: str) -> None:
    """Let a person in again."""
    transact(Settings(), lambda session: accounts.enable(session, shell(), name))


@app.command()
def password(name: str, *, generate: Generate = False, as_json: AsJson = False) -> None:
    """Give a person a new password; it is asked for, or made with --generate."""
    given = _password(generate=generate)
    _hashing(lambda s, passwords: accounts.set_password(s, shell(), passwords, name, given))
    output.item({"name": name, "password": given} if generate else {"name": name}, as_json=as_json)


def _link(work: Callable[[AsyncSession], Awaitable[Ticket]], *, as_json: bool) -> None:
    """Mail the link that the work makes, or print it where it cannot be mailed."""
    settings = Settings()
    ticket = transact(settings, work)
    mailed = asyncio.run(post.send(mail.from_settings(settings), settings.public_url, ticket))
    shown = {"name": ticket.user.name, "mailed_to": ticket.user.email if mailed else None}
    link = {} if mailed else {"link": ticket.link(settings.public_url)}
    output.item(shown | link, as_json=as_json)


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
