"""Statements about people."""

from sqlalchemy import Select
from sqlmodel import select

from controlplane.users.models import Role, User


def by_name(name: str) -> Select[tuple[User]]:
    """Select the user of this name."""
    return select(User).where(User.name == name)


def admins() -> Select[tuple[User]]:
    """Select the admins who can log in."""
    return select(User).where(User.role == Role.ADMIN, User.active)
