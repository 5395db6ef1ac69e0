"""Statements about roles and grants."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, String, cast, func
from sqlmodel import col, select

from controlplane.auth.actor import ScopeKind
from controlplane.auth.permissions import Role
from controlplane.auth.roles.models import CustomRole, Grant
from controlplane.auth.tables import GROUPS, SITES
from controlplane.users.models import User

Row = TypeVar("Row", CustomRole, Grant)


def custom(name: str) -> Select[tuple[CustomRole]]:
    """Select the custom role of this name."""
    return select(CustomRole).where(CustomRole.name == name)


def locked(statement: Select[tuple[Row]]) -> Select[tuple[Row]]:
    """Select the same rows to change them: as they are now, and nobody else's until the commit."""
    return statement.with_for_update().execution_options(populate_existing=True)


def all_custom() -> Select[tuple[CustomRole]]:
    """Select the custom roles, by name."""
    return select(CustomRole).order_by(CustomRole.name)


def held(user: UUID) -> Select[tuple[Grant, CustomRole | None]]:
    """Select a person's grants, each with its role where that is a custom one."""
    return (
        select(Grant, CustomRole)
        .outerjoin(CustomRole, col(CustomRole.name) == Grant.role)
        .where(Grant.user_id == user)
    )


def grants(users: Collection[UUID]) -> Select[tuple[Grant, str | None]]:
    """Select the grants of these people, each with the name of its site or group, if it has one."""
    return (
        select(Grant, func.coalesce(SITES.c.name, GROUPS.c.name))
        .outerjoin(SITES, cast(SITES.c.id, String) == Grant.value)
        .outerjoin(GROUPS, cast(GROUPS.c.id, String) == Grant.value)
        .where(col(Grant.user_id).in_(users))
        .order_by(col(Grant.role), col(Grant.scope), col(Grant.value), col(Grant.id))
    )


def grant(user: UUID, grant_id: UUID) -> Select[tuple[Grant]]:
    """Select a grant of a person."""
    return select(Grant).where(Grant.user_id == user, Grant.id == grant_id)


def of_role(role: str) -> Select[tuple[str]]:
    """Select the names of the people who hold a role."""
    return (
        select(User.name)
        .join(Grant, col(Grant.user_id) == User.id)
        .where(Grant.role == role)
        .order_by(User.name)
    )


def at_site(site: UUID) -> Select[tuple[str]]:
    """Select the names of the people who hold a role on a site."""
    return (
        select(User.name)
        .join(Grant, col(Grant.user_id) == User.id)
        .where(Grant.scope == ScopeKind.SITE, Grant.value == str(site))
        .order_by(User.name)
    )


def on_group(group: UUID) -> Select[tuple[Grant, str]]:
    """Select the grants on a group, each with the name of whoever holds it."""
    return (
        select(Grant, User.name)
        .join(User, col(User.id) == Grant.user_id)
        .where(Grant.scope == ScopeKind.GROUP, Grant.value == str(group))
        .order_by(User.name)
    )


def group(name: str) -> Select[tuple[UUID]]:
    """Select the id of the group of this name, and keep it as it is until the commit."""
    return select(GROUPS.c.id).where(GROUPS.c.name == name).with_for_update(read=True)


def site(name: str) -> Select[tuple[UUID]]:
    """Select the id of the site of this name."""
    return select(SITES.c.id).where(SITES.c.name == name)


def admins() -> Select[tuple[User]]:
    """Select the people who may give roles and can log in."""
    return (
        select(User)
        .join(Grant, col(Grant.user_id) == User.id)
        .where(
            col(Grant.role).in_((Role.SUPER_ADMIN, Role.ADMIN)),
            Grant.scope == ScopeKind.EVERYTHING,
            col(User.active),
        )
    )
