"""Access as a type: an endpoint that takes `actor: CanReadDevices` is closed to everyone else."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
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
    return replace(actor, origin=origin(request))


def origin(request: Request) -> Origin:
    """Say where a request comes from."""
    address = request.client.host if request.client else ""
    return Origin(address, request.state.request_id)


CurrentActor = Annotated[Actor, Depends(current_actor)]


def _requires(permission: Permission) -> Callable[[Actor], Awaitable[Actor]]:
    async def check(actor: CurrentActor) -> Actor:
        if permission not in actor.permissions:
            raise Forbidden(f"{actor.name} lacks the permission {permission.value}")
        return actor

    return check


CanReadDevices = Annotated[Actor, Depends(_requires(Permission.DEVICES_READ))]
CanWriteDevices = Annotated[Actor, Depends(_requires(Permission.DEVICES_WRITE))]
CanReadCredentials = Annotated[Actor, Depends(_requires(Permission.CREDENTIALS_READ))]
CanWriteCredentials = Annotated[Actor, Depends(_requires(Permission.CREDENTIALS_WRITE))]
CanReadThresholds = Annotated[Actor, Depends(_requires(Permission.THRESHOLDS_READ))]
CanWriteThresholds = Annotated[Actor, Depends(_requires(Permission.THRESHOLDS_WRITE))]
CanReadAlerts = Annotated[Actor, Depends(_requires(Permission.ALERTS_READ))]
CanIngestAlerts = Annotated[Actor, Depends(_requires(Permission.ALERTS_INGEST))]
CanReadRules = Annotated[Actor, Depends(_requires(Permission.RULES_READ))]
CanReadSnapshot = Annotated[Actor, Depends(_requires(Permission.SNAPSHOT_READ))]
CanReadTargets = Annotated[Actor, Depends(_requires(Permission.TARGETS_READ))]
CanReadIntent = Annotated[Actor, Depends(_requires(Permission.INTENT_READ))]
