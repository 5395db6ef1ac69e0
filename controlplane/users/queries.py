"""Statements about people."""

from sqlalchemy import Select
from sqlmodel import select

from controlplane.users.models import User


def by_name(name: str) -> Select[tuple[User]]:
    """Select the user of this name."""
    return select(User).where(User.name == name)
