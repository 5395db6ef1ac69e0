"""Add people."""

import re
from typing import Annotated

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.errors import Conflict, Invalid, NotFound, Problem
from controlplane.grammar import matching
from controlplane.users import queries
from controlplane.users.models import User

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._@+-]{0,63}")
PASSWORD_LENGTH = 12


UserName = Annotated[str, matching(NAME.pattern, "the name of a user"), Field(max_length=64)]


async def get(session: AsyncSession, name: str) -> User:
    """Give the person of this name, or raise NotFound."""
    user = await session.scalar(queries.by_name(name))
    if user is None:
        raise NotFound(f"there is no user {name!r}")
    return user


async def add(session: AsyncSession, name: str, password_hash: str) -> User:
    """Add a person; the name is taken once and for all."""
    if not NAME.fullmatch(name):
        detail = f"user name {name!r} must match {NAME.pattern}"
        raise Invalid(detail, Problem("/name", "pattern", detail))
    if await session.scalar(queries.by_name(name)):
        raise Conflict(f"user {name!r} already exists")
    user = User(name=name, password_hash=password_hash)
    session.add(user)
    await session.flush()
    return user


def check_password(password: str) -> None:
    """Refuse a password that is too short; length is the only rule worth having (ASVS 6.2)."""
    if len(password) < PASSWORD_LENGTH:
        detail = f"a password needs at least {PASSWORD_LENGTH} characters"
        raise Invalid(detail, Problem("/password", "too_short", detail))
