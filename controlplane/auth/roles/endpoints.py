"""Roles and grants over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Request

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
async def create_role(data: RoleCreate, session: Session, actor: CanWriteRoles) -> Definition:
    """Add a role, with no permission that its author does not hold."""
    return await service.create(session, actor, data)


@roles.get("/{name}", response_model=RoleRead)
async def get_role(
    name: Name, request: Request, session: Session, _actor: CanReadRoles
) -> Definition:
    """Show a role."""
    settings: Settings = request.app.state.settings
    return await service.get(session, name, settings.mfa_required_roles)


@roles.patch("/{name}", response_model=RoleRead)
async def update_role(
    name: Name, data: RoleUpdate, session: Session, actor: CanWriteRoles
) -> Definition:
    """Change a role; whoever holds it has the change at once."""
    return await service.update(session, actor, name, data)


@roles.delete("/{name}", status_code=204)
async def delete_role(name: Name, session: Session, actor: CanWriteRoles) -> None:
    """Remove a role; one that somebody holds stays (409)."""
    await service.delete(session, actor, name)


@grants.get("")
async def list_grants(name: UserName, session: Session, _actor: CanReadGrants) -> list[GrantRead]:
    """List what a person holds, and where."""
    user = await users.get(session, name)
    return (await grant_service.read(session, [user.id]))[user.id]


@grants.post("", status_code=201)
async def create_grant(
    name: UserName, data: GrantCreate, session: Session, actor: CanWriteGrants
) -> GrantRead:
    """Give a person a role, with no permission that the giver does not hold on everything."""
    return await grant_service.give(session, actor, await users.get(session, name), data)


@grants.delete("/{grant}", status_code=204)
async def delete_grant(
    name: UserName, grant: UUID, session: Session, actor: CanWriteGrants
) -> None:
    """Take a role back; it ends at once."""
    await grant_service.take(session, actor, await users.get(session, name), grant)
