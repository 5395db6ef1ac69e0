"""People and their passwords: inviting and adding them, new passwords, disabling them.

Whatever makes an old password or an old login worthless ends the sessions and the one-time
secrets of its person, in the same transaction.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit.models import Action, Kind
from controlplane.audit.service import Fields
from controlplane.auth import mfa, onetime, policy, queries, sessions, trail
from controlplane.auth.actor import Actor, system
from controlplane.auth.models import FormerPassword, Purpose
from controlplane.auth.onetime import Ticket
from controlplane.auth.passwords import Passwords
from controlplane.auth.permissions import Role
from controlplane.auth.roles import grants
from controlplane.auth.roles import queries as role_queries
from controlplane.auth.roles.schemas import GrantCreate
from controlplane.database import now
from controlplane.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from controlplane.users import service
from controlplane.users.models import User

FIRST_ADMIN = "admin"
WHY_LENGTH = 64  # of the column
PASSWORD_BYTES = 18  # 144 random bits, 24 characters


def generate_password() -> str:
    """Make a password nobody can guess."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


@dataclass(frozen=True)
class Account:
    """A new person: their name, their password, the role they hold on everything, their mail."""

    name: str
    password: str = field(repr=False)
    role: str
    email: str | None = None


@dataclass(frozen=True)
class Change:
    """A new password, why the sessions end that began with the old one, and which one stays."""

    password: str = field(repr=False)
    why: str
    keep: UUID | None = None


async def add(session: AsyncSession, actor: Actor, passwords: Passwords, new: Account) -> User:
    """Add a person with a password and a role."""
    policy.check(new.password, (new.name, new.email or ""))
    return await _add(session, actor, new, await passwords.hash(new.password))


async def invite(session: AsyncSession, actor: Actor, new: Account) -> Ticket:
    """Add a person who chooses the password with the ticket."""
    return await onetime.ticket(session, await _add(session, actor, new, ""), actor.id)


async def accept(
    session: AsyncSession, passwords: Passwords, purpose: Purpose, token: str, password: str
) -> User:
    """Set the password of whoever holds an invitation or a reset; the token is used up.

    It is worth nothing once the person may do more than whoever made it, who may hold a copy.
    """
    row = await onetime.find(session, purpose, token)
    user = await session.get(User, row.user_id) if row else None
    good = user is not None and user.active and await _may_still(session, token, user)
    if row is None or user is None or not good or not await onetime.spend(session, row):
        detail = "this link is not valid any more; ask for a new one"
        raise Invalid(detail, Problem("/token", "expired", detail))
    await replace_password(session, passwords, user, Change(password, f"{purpose.value} by a link"))
    return user


async def replace_password(
    session: AsyncSession, passwords: Passwords, user: User, change: Change
) -> None:
    """Give a person a new password that is good and was not theirs before.

    Their sessions end, but for the one to keep; links that were sent to them do nothing more.
    """
    password = change.password
    policy.check(password, (user.name, user.full_name, user.email or ""))
    former = (await session.scalars(queries.former_passwords(user.id))).all()
    hashes = [user.password_hash, *(one.password_hash for one in former)]
    if await _reused(passwords, hashes[: policy.HISTORY], password):
        raise policy.refused("reused", "this password was in use before")
    hashed = await passwords.hash(password)
    if user.password_hash:
        session.add(FormerPassword(user_id=user.id, password_hash=user.password_hash))
    for forgotten in former[policy.HISTORY - 1 :]:
        await session.delete(forgotten)
    user.password_hash, user.password_changed_at = hashed, now()
    await session.execute(queries.delete_secrets(user.id))
    await sessions.end_all(session, user.id, change.why, change.keep)


async def set_password(
    session: AsyncSession, actor: Actor, passwords: Passwords, name: str, password: str
) -> User:
    """Give a person a new password, as an admin does; the old one ends at once."""
    user = await _theirs(session, actor, name)
    await replace_password(session, passwords, user, Change(password, "an admin set the password"))
    await _record(session, actor, Action.PASSWORD_RESET, user)
    return user


async def reset(session: AsyncSession, actor: Actor, name: str) -> Ticket:
    """Make a ticket for a person who forgot the password; the old one works until it is used."""
    user = await _theirs(session, actor, name)
    ticket = await onetime.ticket(session, user, actor.id)
    await _record(session, actor, Action.PASSWORD_RESET, user, {"link": ticket.purpose.value})
    return ticket


async def disable(session: AsyncSession, actor: Actor, name: str) -> User:
    """Keep a person out from now on."""
    user = await _theirs(session, actor, name)
    user.active = False
    await session.execute(queries.delete_secrets(user.id))
    await sessions.end_all(session, user.id, "the account was disabled")
    await _record(session, actor, Action.UPDATE, user, {"active": False})
    return user


async def enable(session: AsyncSession, actor: Actor, name: str) -> User:
    """Let a person in again, with the password they had."""
    user = await _theirs(session, actor, name)
    user.active = True
    await _record(session, actor, Action.UPDATE, user, {"active": True})
    return user


async def end_sessions(
    session: AsyncSession, actor: Actor, name: str, one: UUID | None = None
) -> User:
    """End every login of a person, or one of them."""
    user = await _theirs(session, actor, name)
    why = f"revoked by {actor.name}"[:WHY_LENGTH]
    if one is None:
        await sessions.end_all(session, user.id, why)
    elif not await sessions.end_one(session, user.id, one, why):
        raise NotFound(f"{name} has no session {one}")
    ended = str(one) if one else "all"
    await _record(session, actor, Action.SESSION_REVOKED, user, {"sessions": ended})
    return user


async def remove_second_factor(session: AsyncSession, actor: Actor, name: str) -> User:
    """Remove the second factor of a person who lost it; their logins end."""
    user = await _theirs(session, actor, name)
    if not await mfa.remove(session, user.id):
        raise Conflict(f"{name} has no second factor")
    await sessions.end_all(session, user.id, "an admin removed the second factor")
    await _record(session, actor, Action.MFA_RESET, user)
    return user


async def add_first_admin(session: AsyncSession, passwords: Passwords) -> str | None:
    """Add an admin where there is none; give the password, which is kept nowhere."""
    if await session.scalar(role_queries.admins()) is not None:
        return None
    password = generate_password()
    await add(session, system("setup"), passwords, Account(FIRST_ADMIN, password, Role.SUPER_ADMIN))
    return password


async def _may_still(session: AsyncSession, token: str, user: User) -> bool:
    """Say whether whoever made a token could make it now."""
    maker_id = onetime.maker(token)
    if maker_id is None:
        return True
    maker = await session.get(User, maker_id)
    if maker is None or not maker.active:
        return False
    held = await grants.held(session, maker.id, ())
    try:
        await grants.refuse_senior(session, Actor(maker.id, maker.name, Kind.USER, held), user)
    except Forbidden:
        return False
    return True


async def _theirs(session: AsyncSession, actor: Actor, name: str) -> User:
    """Give a person whom the actor may change: nobody who may do more than they."""
    user = await service.get(session, name)
    await grants.refuse_senior(session, actor, user)
    return user


async def _add(session: AsyncSession, actor: Actor, new: Account, password_hash: str) -> User:
    user = await service.add(session, new.name, password_hash, new.email)
    await _record(session, actor, Action.CREATE, user, {"email": user.email})
    await grants.give(session, actor, user, GrantCreate(role=new.role))
    return user


async def _record(
    session: AsyncSession, actor: Actor, action: Action, user: User, after: Fields | None = None
) -> None:
    await trail.record(session, actor, action, "user", user, after=after)


async def _reused(passwords: Passwords, hashes: Collection[str], password: str) -> bool:
    for stored in hashes:
        if stored and (await passwords.verify(stored, password)).right:
            return True
    return False
