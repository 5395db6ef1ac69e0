"""Keep roles: those built in are code, custom ones are rows."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import preconditions
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import FOR_SERVICES, ROLES, Permission, Role
from controlplane.auth.roles import queries
from controlplane.auth.roles.models import CustomRole
from controlplane.auth.roles.schemas import RoleCreate, RoleUpdate
from controlplane.database import now
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Problem

DESCRIPTIONS = {
    Role.SUPER_ADMIN: "Everything, and what roles may do",
    Role.ADMIN: "Everything but defining roles",
    Role.OPERATOR: "The inventory and its thresholds",
    Role.ANALYST: "Reads, the audit log too",
    Role.VIEWER: "Reads",
}


@dataclass(frozen=True)
class Definition:
    """What a role is."""

    name: str
    description: str
    permissions: tuple[Permission, ...]
    built_in: bool
    mfa_required: bool
    version: int | None  # None of what is built in


async def listed(session: AsyncSession, mfa_roles: Collection[str]) -> list[Definition]:
    """Give every role; `mfa_roles` are those for which the settings want a second factor."""
    custom = await session.scalars(queries.all_custom())
    return [
        *(_built_in(role, mfa_roles) for role in Role),
        *(_custom(role, mfa_roles) for role in custom),
    ]


async def get(session: AsyncSession, name: str, mfa_roles: Collection[str]) -> Definition:
    """Give the role of this name, or raise NotFound."""
    if name in ROLES:
        return _built_in(Role(name), mfa_roles)
    return _custom(_found(name, await session.scalar(queries.custom(name))), mfa_roles)


async def create(session: AsyncSession, actor: Actor, data: RoleCreate) -> Definition:
    """Add a custom role, with no permission its author does not hold."""
    if data.name in ROLES or await session.scalar(queries.custom(data.name)):
        raise Conflict(f"role {data.name!r} already exists")
    refuse_more(actor, data.permissions)
    role = CustomRole(**data.model_dump(exclude={"permissions"}), permissions=[])
    role.permissions = _written(data.permissions)
    session.add(role)
    await session.flush()
    await trail.record(session, actor, Action.POLICY_CREATED, "role", role, after=_fields(role))
    return _custom(role, ())


async def update(
    session: AsyncSession, actor: Actor, name: str, data: RoleUpdate, if_match: str | None = None
) -> Definition:
    """Change a custom role; neither what it was nor what it becomes may exceed its author."""
    role = await _to_change(session, name, if_match)
    before = _fields(role)
    refuse_more(actor, [Permission(p) for p in role.permissions])
    fields = data.model_dump(exclude_unset=True)
    if "permissions" in fields:
        refuse_more(actor, data.permissions)
        fields["permissions"] = _written(data.permissions)
    role.sqlmodel_update(fields)
    role.version += 1
    role.updated_at = now()
    await session.flush()
    await trail.record(
        session, actor, Action.POLICY_UPDATED, "role", role, before=before, after=_fields(role)
    )
    return _custom(role, ())


async def delete(
    session: AsyncSession, actor: Actor, name: str, if_match: str | None = None
) -> None:
    """Remove a custom role that nobody holds."""
    role = await _to_change(session, name, if_match)
    refuse_more(actor, [Permission(p) for p in role.permissions])
    holder = await session.scalar(queries.of_role(name).limit(1))
    if holder is not None:
        raise Conflict(f"role {name!r} is held by {holder}; take it back first")
    await session.delete(role)
    await session.flush()
    await trail.record(session, actor, Action.POLICY_DELETED, "role", role, before=_fields(role))


def refuse_more(actor: Actor, permissions: Collection[Permission]) -> None:
    """Raise Forbidden where the actor would hand out more than they hold on everything."""
    for permission in permissions:
        if permission in FOR_SERVICES:
            detail = f"{permission.value} is for services and no part of a role"
            raise Invalid(detail, Problem("/permissions", "for_services", detail))
        if not actor.may_everywhere(permission):
            raise Forbidden(
                f"nobody hands out what they do not hold on everything: {permission.value}"
            )


async def _to_change(session: AsyncSession, name: str, if_match: str | None) -> CustomRole:
    """Lock the role, if it is the version the actor saw."""
    if name in ROLES:
        raise Conflict(f"role {name!r} is built in and stays as it is")
    role = _found(name, await session.scalar(queries.locked(queries.custom(name))))
    preconditions.check(role.version, if_match)
    return role


def _found(name: str, role: CustomRole | None) -> CustomRole:
    if role is None:
        raise NotFound(f"there is no role {name!r}")
    return role


def _built_in(role: Role, mfa_roles: Collection[str]) -> Definition:
    permissions = tuple(sorted(ROLES[role]))
    return Definition(role.value, DESCRIPTIONS[role], permissions, True, role in mfa_roles, None)


def _custom(role: CustomRole, mfa_roles: Collection[str]) -> Definition:
    permissions = tuple(Permission(p) for p in role.permissions)
    mfa = role.mfa_required or role.name in mfa_roles
    return Definition(role.name, role.description, permissions, False, mfa, role.version)


def _written(permissions: Collection[Permission]) -> list[str]:
    return sorted({permission.value for permission in permissions})


def _fields(role: CustomRole) -> dict[str, object]:
    return role.model_dump(include={"description", "permissions", "mfa_required"})
