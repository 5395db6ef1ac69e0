"""Statements about people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Update, func, or_, update
from sqlmodel import col, select

from controlplane.users.models import User


def by_name(name: str) -> Select[tuple[User]]:
    """Select the user of this name."""
    return select(User).where(User.name == name)


def by_name_or_email(text: str) -> Select[tuple[User]]:
    """Select the active users of this name or address of mail."""
    address = func.lower(col(User.email)) == text.lower()
    return select(User).where(or_(col(User.name) == text, address), User.active)


def listed() -> Select[tuple[User]]:
    """Select everybody, by name."""
    return select(User).order_by(col(User.name))


def rehash(user_id: UUID, old: str, new: str) -> Update:
    """Put a new hash of the same password in place of the old, if it is still there."""
    same = (col(User.id) == user_id, col(User.password_hash) == old)
    return update(User).where(*same).values(password_hash=new)


def logged_in(user_id: UUID, moment: datetime) -> Update:
    """Note when a person last logged in."""
    return update(User).where(col(User.id) == user_id).values(last_login_at=moment)
