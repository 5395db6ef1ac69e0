"""Notifications over HTTP: channels, routes, what was deployed, and one's own inbox."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.datastructures import State

from controlplane import bodies, pagination, preconditions
from controlplane.auth.dependencies import (
    CanIngestAlerts,
    CanReadAlerts,
    CanReadNotifications,
    CanWriteNotifications,
)
from controlplane.database import Session
from controlplane.given import given
from controlplane.grammar import Name
from controlplane.notifications import inbox, queries, routes, service, trial
from controlplane.notifications.schemas import (
    ChannelCreate,
    ChannelRead,
    ChannelUpdate,
    Counted,
    InboxMessage,
    NoticeItem,
    NoticeQuery,
    RevisionRead,
    RouteRead,
    RouteWrite,
    TestRead,
)
from controlplane.pagination import Page, PageQuery
from controlplane.preconditions import IfMatch

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"])


def _keeper(state: State) -> service.Keeper:
    return service.Keeper(state.vault, state.destinations)


@router.get("/channels")
async def list_channels(
    request: Request, session: Session, _actor: CanReadNotifications
) -> list[ChannelRead]:
    """List channels without their secrets, those of the installation first."""
    left_out = await service.left_out(session)
    made = [
        service.read(channel, left_out) for channel in await session.scalars(queries.channels())
    ]
    return [*service.built_in(request.app.state.settings), *made]


@router.post("/channels", status_code=201)
async def create_channel(
    data: ChannelCreate,
    request: Request,
    response: Response,
    session: Session,
    actor: CanWriteNotifications,
) -> ChannelRead:
    """Add a channel; Alertmanager knows it within seconds, and a route must name it."""
    state = request.app.state
    await service.refuse_unsupported(state.notifier, data.options)
    channel = await service.create(session, actor, _keeper(state), data)
    preconditions.tag(response, channel.version)
    return service.read(channel, {})


@router.get("/channels/{name}")
async def get_channel(
    name: Name,
    request: Request,
    response: Response,
    session: Session,
    _actor: CanReadNotifications,
) -> ChannelRead:
    """Show a channel without its secrets."""
    for built_in in service.built_in(request.app.state.settings):
        if built_in.name == name:
            return built_in
    channel = await service.get(session, name)
    preconditions.tag(response, channel.version)
    return service.read(channel, await service.left_out(session))


@router.patch("/channels/{name}")
async def update_channel(
    name: Name,
    data: ChannelUpdate,
    request: Request,
    response: Response,
    *,
    session: Session,
    actor: CanWriteNotifications,
    if_match: IfMatch = None,
) -> ChannelRead:
    """Change fields of a channel; with another destination its secrets are given anew."""
    state = request.app.state
    channel = await service.update(session, actor, _keeper(state), name, data, if_match)
    preconditions.tag(response, channel.version)
    return service.read(channel, {})


@router.delete("/channels/{name}", status_code=204)
async def delete_channel(
    name: Name,
    request: Request,
    session: Session,
    actor: CanWriteNotifications,
    if_match: IfMatch = None,
) -> None:
    """Remove a channel; one that a route, an escalation or a person is told by stays (409)."""
    await service.delete(session, actor, name, request.app.state.channel_uses, if_match)


@router.post("/channels/{name}/test")
async def test_channel(
    name: Name, request: Request, session: Session, actor: CanWriteNotifications
) -> TestRead:
    """Send a real notification through Alertmanager to this channel alone, and see how it went.

    `delivered` says that the service at the other end took it, not that somebody saw it.
    """
    state = request.app.state
    place = trial.Place(state.settings, state.vault, state.destinations, state.notifier)
    return await trial.run(session, actor, place, name)


@router.get("/routes")
async def list_routes(session: Session, _actor: CanReadNotifications) -> list[RouteRead]:
    """List routes in the order in which they are asked; the default is not among them."""
    return await routes.listed(session)


@router.get("/routes/{name}")
async def get_route(
    name: Name, response: Response, session: Session, _actor: CanReadNotifications
) -> RouteRead:
    """Show a route."""
    route = await routes.get(session, name)
    preconditions.tag(response, route.version)
    return route


@router.put("/routes/{name}")
async def put_route(
    name: Name,
    data: RouteWrite,
    request: Request,
    response: Response,
    *,
    session: Session,
    actor: CanWriteNotifications,
    if_match: IfMatch = None,
) -> RouteRead:
    """Make a route, or change it to be exactly this."""
    settings = request.app.state.settings
    route = await routes.put(session, actor, settings, name, data, if_match)
    preconditions.tag(response, route.version)
    return route


@router.delete("/routes/{name}", status_code=204)
async def delete_route(
    name: Name, session: Session, actor: CanWriteNotifications, if_match: IfMatch = None
) -> None:
    """Remove a route."""
    await routes.delete(session, actor, name, if_match)


@router.get("/revisions")
async def list_routing_revisions(
    request: Request,
    session: Session,
    _actor: CanReadNotifications,
    query: Annotated[PageQuery, given(PageQuery)],
) -> Page[RevisionRead]:
    """List configurations of Alertmanager without their secrets, newest first."""
    listed = pagination.ordered(
        queries.revisions(), query.ordering, queries.REVISION_ORDERING, "-id"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    results = [RevisionRead.model_validate(row) for row in rows]
    return pagination.page(request.url, query, extent, results)


@router.post("/inbox", openapi_extra=bodies.described(InboxMessage))
async def receive_notices(request: Request, session: Session, _actor: CanIngestAlerts) -> Counted:
    """Take a notification of Alertmanager for the inboxes of people."""
    data = await bodies.read(request, InboxMessage)
    return Counted(count=await inbox.receive(session, data.alerts))


@router.get("")
async def list_notices(
    request: Request,
    session: Session,
    actor: CanReadAlerts,
    query: Annotated[NoticeQuery, given(NoticeQuery)],
) -> Page[NoticeItem]:
    """List one's inbox: what was told of devices that one may hear of."""
    listed = pagination.ordered(
        queries.inbox(actor, query), query.ordering, queries.NOTICE_ORDERING, "id"
    )
    extent, rows = await pagination.fetch(session, listed, query)
    return pagination.page(request.url, query, extent, await inbox.items(session, actor, rows))


@router.post("/read")
async def read_all_notices(session: Session, actor: CanReadAlerts) -> Counted:
    """Mark all of one's inbox as read."""
    return Counted(count=await inbox.read_all(session, actor))


@router.post("/{notice_id}/read", status_code=204)
async def read_notice(notice_id: UUID, session: Session, actor: CanReadAlerts) -> None:
    """Mark a notice of one's inbox as read."""
    await inbox.read_one(session, actor, notice_id)
