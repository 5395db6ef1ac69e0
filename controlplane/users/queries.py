"""Statements about people."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Update, func, or_, update
from sqlmodel import col, select

from controlplane import lookups
from controlplane.users.models import User
from controlplane.users.schemas import UserQuery

ORDERING = {"name": col(User.name), "last_login_at": col(User.last_login_at)}


def by_name(name: str) -> Select[tuple[User]]:
    """Select the user of this name."""
    return select(User).where(User.name == name)


def named_alike(name: str) -> Select[tuple[User]]:
    """Select a user whom people would take for the one of this name: `Ann` for `ann`."""
    return select(User).where(func.lower(col(User.name)) == name.lower()).limit(1)


def by_name_or_email(text: str) -> Select[tuple[User]]:
    """Select the active users of this name or address of mail."""
    address = func.lower(col(User.email)) == text.lower()
    return select(User).where(or_(col(User.name) == text, address), User.active)


def listed(query: UserQuery) -> Select[tuple[User]]:
    """Select the people who pass the filters."""
    fields = ("name", "full_name", "email", "created_at", "last_login_at")
    subjects = lookups.columns(User, *fields)
    found = lookups.search(query.q, *(subjects[name] for name in fields[:3]))
    statement = select(User).where(found, *lookups.conditions(query, subjects))
    return statement if query.active is None else statement.where(User.active == query.active)


def rehash(user_id: UUID, old: str, new: str) -> Update:
    """Put a new hash of the same password in place of the old, if it is still there."""
    same = (col(User.id) == user_id, col(User.password_hash) == old)
    return update(User).where(*same).values(password_hash=new)


def logged_in(user_id: UUID, moment: datetime) -> Update:
    """Note when a person last logged in."""
    return update(User).where(col(User.id) == user_id).values(last_login_at=moment)
