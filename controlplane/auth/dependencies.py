"""Access as a type: an endpoint that takes `actor: CanReadDevices` is closed to everyone else."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from controlplane.auth import service
from controlplane.auth.actor import Actor, Origin
from controlplane.auth.callers import Callers
from controlplane.auth.identity import Identity
from controlplane.auth.permissions import Permission
from controlplane.database import Session, get_session
from controlplane.errors import Forbidden, Unauthenticated

Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(
        HTTPBearer(
            auto_error=False, description="An access token, or the token of a program or service"
        )
    ),
]


async def get_identity(request: Request) -> Identity:
    """Lend what it takes to know people."""
    identity: Identity = request.app.state.identity
    return identity


People = Annotated[Identity, Depends(get_identity)]


async def current_actor(
    request: Request, session: Session, people: People, bearer: Bearer
) -> Actor:
    """Give whoever is asking, by a token or by a browser's cookie, or refuse."""
    actor = await _identify(request, session, people, bearer)
    request.state.actor = actor  # for the record of a refusal
    return actor


async def _identify(request: Request, session: Session, people: Identity, bearer: Bearer) -> Actor:
    if bearer is not None:
        return await service.identify(session, people, bearer.credentials, origin(request))
    cookie = people.cookies.session(request)
    if cookie is None:
        raise Unauthenticated("log in, or send a token as `Authorization: Bearer`")
    return await service.identify_cookie(session, people, cookie, origin(request))


def origin(request: Request) -> Origin:
    """Say where a request comes from."""
    address = request.client.host if request.client else ""
    return Origin(address, request.state.request_id)


async def current_service(request: Request, people: People, bearer: Bearer) -> Actor:
    """Give whoever is asking; a service that was let in since the last change costs no query."""
    callers: Callers = request.app.state.callers
    token = bearer.credentials if bearer is not None else ""
    actor = callers.find(token)
    if actor is None:
        counted = callers.count
        async with asynccontextmanager(get_session)(request) as session:
            actor = await _identify(request, session, people, bearer)
        callers.keep(counted, token, actor)
    request.state.actor = replace(actor, origin=origin(request))
    return actor


CurrentActor = Annotated[Actor, Depends(current_actor)]
CurrentService = Annotated[Actor, Depends(current_service)]


def require(actor: Actor, permission: Permission, *, everywhere: bool = False) -> None:
    """Raise Forbidden where the actor holds a permission nowhere, or not on everything."""
    if permission not in actor.permissions:
        raise Forbidden(f"{actor.name} lacks the permission {permission.value}")
    if everywhere and not actor.may_everywhere(permission):
        raise Forbidden(f"{actor.name} holds {permission.value}, but not on everything")


@dataclass(frozen=True)
class Requires:
    """The check of an access type; what an endpoint asks for can be read from it."""

    permission: Permission
    everywhere: bool = False

    async def __call__(self, actor: CurrentActor) -> Actor:
        """Give the actor, or refuse."""
        require(actor, self.permission, everywhere=self.everywhere)
        return actor


@dataclass(frozen=True)
class RequiresService(Requires):
    """The same for what services ask for all day long."""

    async def __call__(self, actor: CurrentService) -> Actor:
        """Give the service, or refuse."""
        return await super().__call__(actor)


# What belongs to devices and sites: the restrictor narrows it to where the permission is held.
CanReadDevices = Annotated[Actor, Depends(Requires(Permission.DEVICES_READ))]
CanWriteDevices = Annotated[Actor, Depends(Requires(Permission.DEVICES_WRITE))]
CanReadSites = Annotated[Actor, Depends(Requires(Permission.SITES_READ))]
CanWriteSites = Annotated[Actor, Depends(Requires(Permission.SITES_WRITE))]
CanReadGroups = Annotated[Actor, Depends(Requires(Permission.GROUPS_READ))]
CanWriteGroups = Annotated[Actor, Depends(Requires(Permission.GROUPS_WRITE))]
CanReadCredentials = Annotated[Actor, Depends(Requires(Permission.CREDENTIALS_READ))]
CanReadThresholds = Annotated[Actor, Depends(Requires(Permission.THRESHOLDS_READ))]
CanWriteThresholds = Annotated[Actor, Depends(Requires(Permission.THRESHOLDS_WRITE))]
CanReadAlerts = Annotated[Actor, Depends(Requires(Permission.ALERTS_READ))]
CanAcknowledgeAlerts = Annotated[Actor, Depends(Requires(Permission.ALERTS_ACKNOWLEDGE))]
CanWriteAlerts = Annotated[Actor, Depends(Requires(Permission.ALERTS_WRITE))]
CanReadMaintenance = Annotated[Actor, Depends(Requires(Permission.MAINTENANCE_READ))]
CanWriteMaintenance = Annotated[Actor, Depends(Requires(Permission.MAINTENANCE_WRITE))]
CanReadAlertingRules = Annotated[Actor, Depends(Requires(Permission.RULES_READ))]
CanWriteAlertingRules = Annotated[Actor, Depends(Requires(Permission.RULES_WRITE))]
CanDeployAlertingRules = Annotated[Actor, Depends(Requires(Permission.RULES_DEPLOY))]
# Who is on call names people, not devices: seen wherever the permission is held.
CanReadOncall = Annotated[Actor, Depends(Requires(Permission.ONCALL_READ))]
# What belongs to all: it must be held on everything.
CanWriteCatalogue = Annotated[Actor, Depends(Requires(Permission.CATALOGUE_WRITE, True))]
CanWriteCredentials = Annotated[Actor, Depends(Requires(Permission.CREDENTIALS_WRITE, True))]
CanWriteOncall = Annotated[Actor, Depends(Requires(Permission.ONCALL_WRITE, True))]
CanReadRules = Annotated[Actor, Depends(Requires(Permission.RULES_READ, True))]
CanDeployRules = Annotated[Actor, Depends(Requires(Permission.RULES_DEPLOY, True))]
CanReadNotifications = Annotated[Actor, Depends(Requires(Permission.NOTIFICATIONS_READ, True))]
CanWriteNotifications = Annotated[Actor, Depends(Requires(Permission.NOTIFICATIONS_WRITE, True))]
CanReadUsers = Annotated[Actor, Depends(Requires(Permission.USERS_READ, True))]
CanWriteUsers = Annotated[Actor, Depends(Requires(Permission.USERS_WRITE, True))]
CanReadSessions = Annotated[Actor, Depends(Requires(Permission.SESSIONS_READ, True))]
CanWriteSessions = Annotated[Actor, Depends(Requires(Permission.SESSIONS_WRITE, True))]
CanReadTokens = Annotated[Actor, Depends(Requires(Permission.TOKENS_READ, True))]
CanWriteTokens = Annotated[Actor, Depends(Requires(Permission.TOKENS_WRITE, True))]
CanReadRoles = Annotated[Actor, Depends(Requires(Permission.ROLES_READ, True))]
CanWriteRoles = Annotated[Actor, Depends(Requires(Permission.ROLES_WRITE, True))]
CanReadGrants = Annotated[Actor, Depends(Requires(Permission.GRANTS_READ, True))]
CanWriteGrants = Annotated[Actor, Depends(Requires(Permission.GRANTS_WRITE, True))]
CanReadAudit = Annotated[Actor, Depends(Requires(Permission.AUDIT_READ, True))]
CanReadExporters = Annotated[Actor, Depends(Requires(Permission.EXPORTERS_READ, True))]
CanWriteExporters = Annotated[Actor, Depends(Requires(Permission.EXPORTERS_WRITE, True))]
CanConfirmTargets = Annotated[Actor, Depends(Requires(Permission.TARGETS_CONFIRM, True))]
CanIngestAlerts = Annotated[Actor, Depends(Requires(Permission.ALERTS_INGEST, True))]
CanReadSnapshot = Annotated[Actor, Depends(RequiresService(Permission.SNAPSHOT_READ, True))]
CanReadTargets = Annotated[Actor, Depends(RequiresService(Permission.TARGETS_READ, True))]
CanReadIntent = Annotated[Actor, Depends(RequiresService(Permission.INTENT_READ, True))]
