"""People and their passwords: adding them, and giving them a new one."""

import secrets
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor, system
from controlplane.auth.passwords import Passwords
from controlplane.auth.permissions import Role
from controlplane.auth.roles import grants
from controlplane.auth.roles import queries as role_queries
from controlplane.auth.roles.schemas import GrantCreate
from controlplane.errors import NotFound
from controlplane.users import queries, service
from controlplane.users.models import User

FIRST_ADMIN = "admin"
PASSWORD_BYTES = 18  # 144 random bits, 24 characters


def generate_password() -> str:
    """Make a password nobody can guess."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


@dataclass(frozen=True)
class Account:
    """A new person: the name, the password, and the role they hold on everything."""

    name: str
    password: str = field(repr=False)
    role: str


async def add(session: AsyncSession, actor: Actor, passwords: Passwords, new: Account) -> User:
    """Add a person with a password and a role."""
    service.check_password(new.password)
    user = await service.add(session, new.name, await passwords.hash(new.password))
    await trail.record(
        session,
        actor,
        Action.CREATE,
        "user",
        user,
        after={"password": new.password, "active": user.active},
    )
    await grants.give(session, actor, user, GrantCreate(role=new.role))
    return user


async def set_password(
    session: AsyncSession, actor: Actor, passwords: Passwords, name: str, password: str
) -> User:
    """Give a person a new password; the old one ends at once."""
    service.check_password(password)
    user = await session.scalar(queries.by_name(name))
    if user is None:
        raise NotFound(f"there is no user {name!r}")
    user.password_hash = await passwords.hash(password)
    await trail.record(session, actor, Action.PASSWORD_RESET, "user", user)
    return user


async def add_first_admin(session: AsyncSession, passwords: Passwords) -> str | None:
    """Add an admin where there is none; give the password, which is kept nowhere."""
    if await session.scalar(role_queries.admins()) is not None:
        return None
    password = generate_password()
    await add(session, system("setup"), passwords, Account(FIRST_ADMIN, password, Role.SUPER_ADMIN))
    return password
