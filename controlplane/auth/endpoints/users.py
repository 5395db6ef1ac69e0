"""What admins do about people: invite them, keep them out, end their logins, help who lost a key.

Nobody changes an account that may do more than they: they could become it.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from controlplane import pagination
from controlplane.auth import accounts, post, sessions
from controlplane.auth.accounts import Account
from controlplane.auth.dependencies import (
    CanReadSessions,
    CanReadUsers,
    CanWriteSessions,
    CanWriteUsers,
    People,
)
from controlplane.auth.identity import Identity
from controlplane.auth.onetime import Ticket
from controlplane.auth.schemas import SessionRead
from controlplane.database import Session
from controlplane.given import given
from controlplane.pagination import Page
from controlplane.users import queries, service
from controlplane.users.schemas import Link, UserInvite, UserName, UserQuery, UserRead, UserUpdate

router = APIRouter(prefix="/api/v1/users", tags=["users"])


@router.get("")
async def list_users(
    request: Request,
    session: Session,
    _actor: CanReadUsers,
    query: Annotated[UserQuery, given(UserQuery)],
) -> Page[UserRead]:
    """List people."""
    listed = pagination.ordered(queries.listed(query), query.ordering, queries.ORDERING, "name")
    extent, rows = await pagination.fetch(session, listed, query)
    found = [UserRead.model_validate(row) for row in rows]
    return pagination.page(request.url, query, extent, found)


@router.post("", status_code=201)
async def invite_user(
    data: UserInvite, session: Session, people: People, actor: CanWriteUsers
) -> Link:
    """Add a person, who chooses a password by the link; without a mail server it is shown here."""
    new = Account(data.name, "", data.role, data.email)
    return await _send(people, await accounts.invite(session, actor, new))


@router.get("/{name}")
async def get_user(name: UserName, session: Session, _actor: CanReadUsers) -> UserRead:
    """Show a person."""
    return UserRead.model_validate(await service.get(session, name))


@router.patch("/{name}")
async def update_user(
    name: UserName, data: UserUpdate, session: Session, actor: CanWriteUsers
) -> UserRead:
    """Keep a person out, or let them in again; whoever is kept out is so at once."""
    change = accounts.enable if data.active else accounts.disable
    return UserRead.model_validate(await change(session, actor, name))


@router.post("/{name}/password-reset")
async def reset_password(
    name: UserName, session: Session, people: People, actor: CanWriteUsers
) -> Link:
    """Make a link for a new password; the old one works until it is used."""
    return await _send(people, await accounts.reset(session, actor, name))


@router.delete("/{name}/second-factor", status_code=204)
async def remove_second_factor(name: UserName, session: Session, actor: CanWriteUsers) -> None:
    """Remove the second factor of a person who lost it; their logins end."""
    await accounts.remove_second_factor(session, actor, name)


@router.get("/{name}/sessions")
async def list_sessions(
    name: UserName, session: Session, _actor: CanReadSessions
) -> list[SessionRead]:
    """List where a person is logged in, the newest first."""
    user = await service.get(session, name)
    return [SessionRead.model_validate(s) for s in await sessions.living(session, user.id)]


@router.delete("/{name}/sessions", status_code=204)
async def end_sessions(name: UserName, session: Session, actor: CanWriteSessions) -> None:
    """End every login of a person."""
    await accounts.end_sessions(session, actor, name)


@router.delete("/{name}/sessions/{session_id}", status_code=204)
async def end_session(
    name: UserName, session_id: UUID, session: Session, actor: CanWriteSessions
) -> None:
    """End one login of a person."""
    await accounts.end_sessions(session, actor, name, session_id)


async def _send(people: Identity, ticket: Ticket) -> Link:
    mailed = await post.send(people.mail, people.public_url, ticket)
    return Link(
        name=ticket.user.name,
        mailed_to=ticket.user.email if mailed else None,
        link=None if mailed else ticket.link(people.public_url),
    )
