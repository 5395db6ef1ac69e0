"""Access as a type: an endpoint that takes `actor: CanReadDevices` is closed to everyone else."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from controlplane.auth import service
from controlplane.auth.actor import Actor, Origin
from controlplane.auth.identity import Identity
from controlplane.auth.permissions import Permission
from controlplane.database import Session
from controlplane.errors import Forbidden, Unauthenticated

Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(
        HTTPBearer(
            auto_error=False, description="An access token, or the token of a program or service"
        )
    ),
]


def get_identity(request: Request) -> Identity:
    """Lend what it takes to know people."""
    identity: Identity = request.app.state.identity
    return identity


People = Annotated[Identity, Depends(get_identity)]


async def current_actor(
    request: Request, session: Session, people: People, bearer: Bearer
) -> Actor:
    """Give whoever is asking, by a token or by a browser's cookie, or refuse."""
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
