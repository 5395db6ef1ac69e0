"""Access as a type: an endpoint that takes `actor: CanReadDevices` is closed to everyone else."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from controlplane.auth import service
from controlplane.auth.actor import Actor, Origin
from controlplane.auth.permissions import Permission
from controlplane.database import Session
from controlplane.errors import Forbidden, Unauthenticated

Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="An access token or a service token")),
]


async def current_actor(request: Request, session: Session, bearer: Bearer) -> Actor:
    """Give whoever is asking, or refuse."""
    if bearer is None:
        raise Unauthenticated("log in, or send a token as `Authorization: Bearer`")
    tokens = request.app.state.access_tokens
    actor = await service.identify(session, tokens, bearer.credentials)
    actor = replace(actor, origin=origin(request))
    request.state.actor = actor  # for the record of a refusal
    return actor


def origin(request: Request) -> Origin:
    """Say where a request comes from."""
    address = request.client.host if request.client else ""
    return Origin(address, request.state.request_id)


CurrentActor = Annotated[Actor, Depends(current_actor)]


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


# What belongs to devices and sites: the restrictor narrows it to where the permission is held.
CanReadDevices = Annotated[Actor, Depends(Requires(Permission.DEVICES_READ))]
CanWriteDevices = Annotated[Actor, Depends(Requires(Permission.DEVICES_WRITE))]
CanReadSites = Annotated[Actor, Depends(Requires(Permission.SITES_READ))]
CanWriteSites = Annotated[Actor, Depends(Requires(Permission.SITES_WRITE))]
CanReadCredentials = Annotated[Actor, Depends(Requires(Permission.CREDENTIALS_READ))]
CanReadThresholds = Annotated[Actor, Depends(Requires(Permission.THRESHOLDS_READ))]
CanWriteThresholds = Annotated[Actor, Depends(Requires(Permission.THRESHOLDS_WRITE))]
CanReadAlerts = Annotated[Actor, Depends(Requires(Permission.ALERTS_READ))]
# What belongs to all: it must be held on everything.
CanWriteCredentials = Annotated[Actor, Depends(Requires(Permission.CREDENTIALS_WRITE, True))]
CanWriteAllThresholds = Annotated[Actor, Depends(Requires(Permission.THRESHOLDS_WRITE, True))]
CanReadRules = Annotated[Actor, Depends(Requires(Permission.RULES_READ, True))]
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
CanIngestAlerts = Annotated[Actor, Depends(Requires(Permission.ALERTS_INGEST, True))]
CanReadSnapshot = Annotated[Actor, Depends(Requires(Permission.SNAPSHOT_READ, True))]
CanReadTargets = Annotated[Actor, Depends(Requires(Permission.TARGETS_READ, True))]
CanReadIntent = Annotated[Actor, Depends(Requires(Permission.INTENT_READ, True))]
