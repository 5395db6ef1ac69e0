"""Give roles to people, take them back, and know what somebody holds."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import preconditions
from controlplane.audit.models import Action
from controlplane.auth import trail
from controlplane.auth.actor import Actor, Held, Scope, ScopeKind
from controlplane.auth.permissions import ROLES, Permission, Role
from controlplane.auth.roles import queries, service
from controlplane.auth.roles.models import CustomRole, Grant
from controlplane.auth.roles.schemas import GrantCreate, GrantRead
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from controlplane.users.models import User


async def held(session: AsyncSession, user: UUID, mfa_roles: Collection[str]) -> tuple[Held, ...]:
    """Give what a person holds; the settings want a second factor for the `mfa_roles`."""
    return as_held((await session.execute(queries.held(user))).tuples(), mfa_roles)


def as_held(
    rows: Iterable[tuple[Grant, CustomRole | None]], mfa_roles: Collection[str]
) -> tuple[Held, ...]:
    """Give what a person holds by these grants, each with its role where that is a custom one."""
    return tuple(_held(grant, custom, mfa_roles) for grant, custom in rows)


async def read(session: AsyncSession, users: Collection[UUID]) -> Mapping[UUID, list[GrantRead]]:
    """Give the grants of people, as people see them."""
    found: dict[UUID, list[GrantRead]] = {user: [] for user in users}
    for grant, name in (await session.execute(queries.grants(users))).tuples():
        found[grant.user_id].append(_read(grant, name))
    return found


async def give(session: AsyncSession, actor: Actor, user: User, data: GrantCreate) -> GrantRead:
    """Give a person a role; never one with more than the giver holds on everything."""
    try:
        definition = await service.get(session, data.role, ())
    except NotFound as error:
        raise Invalid(error.detail, Problem("/role", "unknown", error.detail)) from None
    service.refuse_more(actor, definition.permissions)
    grant = Grant(user_id=user.id, role=data.role, scope=data.scope)
    grant.value = await _value(session, data)
    for other in (await read(session, [user.id]))[user.id]:
        if (other.role, other.scope) == (data.role, data.scope) and (
            (other.site, other.group, other.tag) == (data.site, data.group, data.tag)
        ):
            raise Conflict(f"{user.name} holds this role there already")
    session.add(grant)
    await session.flush()
    given = _read(grant, data.site or data.group)
    await trail.record(session, actor, Action.ROLE_ASSIGNED, "user", user, after=_fields(given))
    return given


async def get(session: AsyncSession, user: User, grant_id: UUID) -> GrantRead:
    """Give what a person holds by the id of the grant, or raise NotFound."""
    for grant in (await read(session, [user.id]))[user.id]:
        if grant.id == grant_id:
            return grant
    raise NotFound(f"{user.name} has no grant {grant_id}")


async def take(
    session: AsyncSession,
    actor: Actor,
    user: User,
    grant_id: UUID,
    *,
    if_match: str | None = None,
) -> None:
    """Take a role back; only one that the actor could give."""
    grant = await session.scalar(queries.locked(queries.grant(user.id, grant_id)))
    if grant is None:
        raise NotFound(f"{user.name} has no grant {grant_id}")
    preconditions.check(grant.version, if_match)
    definition = await service.get(session, grant.role, ())
    service.refuse_more(actor, definition.permissions)
    taken = await get(session, user, grant_id)
    await session.delete(grant)
    await session.flush()
    await trail.record(session, actor, Action.ROLE_REVOKED, "user", user, before=_fields(taken))


async def refuse_senior(session: AsyncSession, actor: Actor, user: User) -> None:
    """Raise Forbidden where a person holds more than the actor, who could become them."""
    for grant in await held(session, user.id, ()):
        if not all(actor.may_everywhere(permission) for permission in grant.permissions):
            raise Forbidden(f"{user.name} may do more than you: only their like changes them")


async def refuse_beyond(session: AsyncSession, actor: Actor, group: UUID) -> None:
    """Raise Forbidden where a group is the scope of a grant that the actor could not give.

    Whoever changes what such a group holds changes what somebody may do, perhaps themselves.
    """
    for grant, _ in (await session.execute(queries.on_group(group))).tuples():
        if not actor.may_everywhere(Permission.GRANTS_WRITE):
            raise Forbidden("somebody holds a role on this group: it takes the right to give roles")
        definition = await service.get(session, grant.role, ())
        service.refuse_more(actor, definition.permissions)


async def _value(session: AsyncSession, data: GrantCreate) -> str:
    for noun, name, statement in (
        ("site", data.site, queries.site),
        ("group", data.group, queries.group),
    ):
        if name is None:
            continue
        found = await session.scalar(statement(name))
        if found is None:
            detail = f"there is no {noun} {name!r}"
            raise Invalid(detail, Problem(f"/{noun}", "unknown", detail))
        return str(found)
    return data.tag or ""


def _held(grant: Grant, custom: CustomRole | None, mfa_roles: Collection[str]) -> Held:
    permissions: frozenset[Permission] = frozenset()  # of a role that is no more
    mfa = grant.role in mfa_roles
    if grant.role in ROLES:
        permissions = ROLES[Role(grant.role)]
    elif custom is not None:
        permissions = frozenset(p for p in Permission if p.value in custom.permissions)
        mfa = mfa or custom.mfa_required
    return Held(permissions, Scope(grant.scope, grant.value), grant.role, mfa)


def _read(grant: Grant, name: str | None) -> GrantRead:
    return GrantRead(
        id=grant.id,
        role=grant.role,
        scope=grant.scope,
        site=name if grant.scope is ScopeKind.SITE else None,
        group=name if grant.scope is ScopeKind.GROUP else None,
        tag=grant.value if grant.scope is ScopeKind.TAG else None,
        version=grant.version,
        created_at=grant.created_at,
    )


def _fields(grant: GrantRead) -> dict[str, object]:
    return grant.model_dump(include={"role", "scope", "site", "group", "tag"}, exclude_none=True)
