"""Add people, and check what is said about them."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.errors import Conflict, Invalid, Problem
from controlplane.users import queries
from controlplane.users.models import Role, User

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._@+-]{0,63}")
EMAIL = re.compile(r"[^\s@<>,;:\"()\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,189}")


async def add(
    session: AsyncSession, name: str, password_hash: str, role: Role, email: str | None = None
) -> User:
    """Add a person; the name is taken once and for all."""
    if not NAME.fullmatch(name):
        detail = f"user name {name!r} must match {NAME.pattern}"
        raise Invalid(detail, Problem("/name", "pattern", detail))
    if await session.scalar(queries.by_name(name)):
        raise Conflict(f"user {name!r} already exists")
    user = User(name=name, password_hash=password_hash, role=role, email=check_email(email))
    session.add(user)
    await session.flush()
    return user


def check_email(email: str | None) -> str | None:
    """Give an address that mail can be sent to, or refuse it; empty is none."""
    if not email:
        return None
    if not EMAIL.fullmatch(email):
        detail = f"{email!r} is no address of mail"
        raise Invalid(detail, Problem("/email", "pattern", detail))
    return email
