"""People and their passwords: adding them, and giving them a new one."""

import secrets

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.passwords import Passwords
from controlplane.errors import NotFound
from controlplane.users import queries, service
from controlplane.users.models import Role, User

FIRST_ADMIN = "admin"
PASSWORD_BYTES = 18  # 144 random bits, 24 characters


def generate_password() -> str:
    """Make a password nobody can guess."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


async def add(
    session: AsyncSession, passwords: Passwords, name: str, password: str, role: Role
) -> User:
    """Add a person with a password."""
    service.check_password(password)
    return await service.add(session, name, await passwords.hash(password), role)


async def set_password(
    session: AsyncSession, passwords: Passwords, name: str, password: str
) -> User:
    """Give a person a new password; the old one ends at once."""
    service.check_password(password)
    user = await session.scalar(queries.by_name(name))
    if user is None:
        raise NotFound(f"there is no user {name!r}")
    user.password_hash = await passwords.hash(password)
    return user


async def add_first_admin(session: AsyncSession, passwords: Passwords) -> str | None:
    """Add an admin where there is none; give the password, which is kept nowhere."""
    if await session.scalar(queries.admins()) is not None:
        return None
    password = generate_password()
    await add(session, passwords, FIRST_ADMIN, password, Role.ADMIN)
    return password
