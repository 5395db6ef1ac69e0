"""Add people, and check what is said about them."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.errors import Conflict, Invalid, NotFound, Problem
from controlplane.users import queries
from controlplane.users.models import User
from controlplane.users.schemas import NAME

EMAIL = re.compile(r"[^\s@<>,;:\"()\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,189}")


async def get(session: AsyncSession, name: str) -> User:
    """Give the person of this name, or raise NotFound."""
    user = await session.scalar(queries.by_name(name))
    if user is None:
        raise NotFound(f"there is no user {name!r}")
    return user


async def add(
    session: AsyncSession, name: str, password_hash: str, email: str | None = None
) -> User:
    """Add a person; the name is taken once and for all, in capitals and in small letters."""
    if not NAME.fullmatch(name):
        detail = f"user name {name!r} must match {NAME.pattern}"
        raise Invalid(detail, Problem("/name", "pattern", detail))
    there = await session.scalar(queries.named_alike(name))
    if there is not None:
        raise Conflict(f"user {there.name!r} already exists")
    user = User(name=name, password_hash=password_hash, email=check_email(email))
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
