"""Roles and grants over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from controlplane import preconditions
from controlplane.auth.dependencies import (
    CanReadGrants,
    CanReadRoles,
    CanWriteGrants,
    CanWriteRoles,
)
from controlplane.auth.roles import grants as grant_service
from controlplane.auth.roles import service
from controlplane.auth.roles.schemas import (
    GrantCreate,
    GrantRead,
    RoleCreate,
    RoleRead,
    RoleUpdate,
)
from controlplane.auth.roles.service import Definition
from controlplane.database import Session
from controlplane.grammar import Name
from controlplane.preconditions import IfMatchRequired
from controlplane.settings import Settings
from controlplane.users import service as users
from controlplane.users.schemas import UserName

roles = APIRouter(prefix="/api/v1/roles", tags=["roles"])
grants = APIRouter(prefix="/api/v1/users/{name}/grants", tags=["roles"])


@roles.get("", response_model=list[RoleRead])
async def list_roles(request: Request, session: Session, _actor: CanReadRoles) -> list[Definition]:
    """List roles, those that are built in and those that operators made."""
    settings: Settings = request.app.state.settings
    return await service.listed(session, settings.mfa_required_roles)


@roles.post("", status_code=201, response_model=RoleRead)
async def create_role(
    data: RoleCreate, response: Response, session: Session, actor: CanWriteRoles
) -> Definition:
    """Add a role, with no permission that its author does not hold."""
    return _tagged(response, await service.create(session, actor, data))


@roles.get("/{name}", response_model=RoleRead)
async def get_role(
    name: Name, request: Request, response: Response, session: Session, _actor: CanReadRoles
) -> Definition:
    """Show a role."""
    settings: Settings = request.app.state.settings
    return _tagged(response, await service.get(session, name, settings.mfa_required_roles))


@roles.patch("/{name}", response_model=RoleRead)
async def update_role(
    name: Name,
    data: RoleUpdate,
    response: Response,
    *,
    session: Session,
    actor: CanWriteRoles,
    if_match: IfMatchRequired,
) -> Definition:
    """Change a role; whoever holds it has the change at once."""
    return _tagged(response, await service.update(session, actor, name, data, if_match))


@roles.delete("/{name}", status_code=204)
async def delete_role(
    name: Name, session: Session, actor: CanWriteRoles, if_match: IfMatchRequired
) -> None:
    """Remove a role; one that somebody holds stays (409)."""
    await service.delete(session, actor, name, if_match)


def _tagged(response: Response, role: Definition) -> Definition:
    if role.version is not None:
        preconditions.tag(response, role.version)
    return role


@grants.get("")
async def list_grants(name: UserName, session: Session, _actor: CanReadGrants) -> list[GrantRead]:
    """List what a person holds, and where."""
    user = await users.get(session, name)
    return (await grant_service.read(session, [user.id]))[user.id]


@grants.post("", status_code=201)
async def create_grant(
    name: UserName,
    data: GrantCreate,
    response: Response,
    session: Session,
    actor: CanWriteGrants,
) -> GrantRead:
    """Give a person a role, with no permission that the giver does not hold on everything."""
    given = await grant_service.give(session, actor, await users.get(session, name), data)
    preconditions.tag(response, given.version)
    return given


@grants.get("/{grant}")
async def get_grant(
    name: UserName, grant: UUID, response: Response, session: Session, _actor: CanReadGrants
) -> GrantRead:
    """Show a grant."""
    found = await grant_service.get(session, await users.get(session, name), grant)
    preconditions.tag(response, found.version)
    return found


@grants.delete("/{grant}", status_code=204)
async def delete_grant(
    name: UserName,
    grant: UUID,
    session: Session,
    actor: CanWriteGrants,
    if_match: IfMatchRequired,
) -> None:
    """Take a role back; it ends at once."""
    user = await users.get(session, name)
    await grant_service.take(session, actor, user, grant, if_match=if_match)
