"""Sessions: opened by a login, kept alive by use, ended by their person, an admin or the clock.

A program gets a refresh token that is exchanged for the next one. A token that was exchanged
before and is shown again was copied, so its whole session ends. The one exception is the token
just before the current one, for GRACE: a client that refreshes twice at once is told so (409) and
goes on with what the other answer brought. Nothing is issued for an old token, not even then, so
the exception gives a thief nothing but GRACE of not being noticed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import queries, secret
from controlplane.auth.actor import Origin
from controlplane.auth.models import Delivery, LoginSession
from controlplane.database import now
from controlplane.users.models import User

COOKIE_PREFIX = "chs_"
REFRESH_PREFIX = "chr_"
GRACE = timedelta(seconds=10)
AGENT_LENGTH = 256


@dataclass(frozen=True)
class Limits:
    """How long a session lives: without being used, and at most."""

    idle: timedelta
    lifetime: timedelta


@dataclass(frozen=True)
class Client:
    """Where a login comes from; `device` is the cookie by which a browser is known again."""

    origin: Origin = field(default_factory=Origin)
    agent: str = ""
    device: str = ""


@dataclass(frozen=True)
class Opened:
    """A session and what its client keeps of it: a refresh token, or the value of a cookie."""

    login: LoginSession
    secret: str = field(repr=False)


class Refusal(StrEnum):
    """Why a refresh token was not exchanged."""

    UNKNOWN = "unknown"
    CONCURRENT = "concurrent"
    REUSED = "reused"


async def start(
    session: AsyncSession, user: User, delivery: Delivery, client: Client, limits: Limits
) -> Opened:
    """Open a session for a person who has just proved who they are."""
    family, first, moment = secret.make(), secret.make(), now()
    login = LoginSession(
        user_id=user.id,
        delivery=delivery,
        family_hash=secret.digest(family),
        secret_hash=secret.digest(first),
        address=client.origin.address,
        user_agent=client.agent[:AGENT_LENGTH],
        created_at=moment,
        authenticated_at=moment,
        last_used_at=moment,
        idle_expires_at=moment + limits.idle,
        expires_at=moment + limits.lifetime,
    )
    session.add(login)
    await session.flush()
    return Opened(login, _written(login, family, first))


async def refresh(session: AsyncSession, token: str, limits: Limits) -> Opened | Refusal:
    """Exchange a refresh token for the next; commit in any case, for reuse ends the session."""
    parsed = secret.parse(REFRESH_PREFIX, token, parts=2)
    if parsed is None:
        return Refusal.UNKNOWN
    login_id, (family, shown) = parsed
    login = await session.get(LoginSession, login_id, with_for_update=True)
    moment = now()
    if login is None or not secret.matches(family, login.family_hash) or not alive(login, moment):
        return Refusal.UNKNOWN
    if secret.matches(shown, login.secret_hash):
        return _rotated(login, family, moment, limits)
    if secret.matches(shown, login.previous_hash) and _just_rotated(login, moment):
        return Refusal.CONCURRENT
    end(login, moment, "a refresh token was used twice")
    return Refusal.REUSED


def alive(login: LoginSession, moment: datetime) -> bool:
    """Say whether a session can be used at this moment."""
    return login.revoked_at is None and moment < min(login.idle_expires_at, login.expires_at)


def end(login: LoginSession, moment: datetime, why: str) -> None:
    """Revoke a session; what it was when it first ended stays."""
    if login.revoked_at is None:
        login.revoked_at, login.revoked_why = moment, why


async def end_all(session: AsyncSession, user_id: UUID, why: str, keep: UUID | None = None) -> None:
    """Revoke the sessions of a person, but for the one to keep."""
    await session.execute(queries.revoke_sessions(user_id, now(), why, keep))


async def end_one(session: AsyncSession, user_id: UUID, login_id: UUID, why: str) -> bool:
    """Revoke one session of a person; False where they have no such living session."""
    login = await session.get(LoginSession, login_id)
    if login is None or login.user_id != user_id or login.revoked_at is not None:
        return False
    end(login, now(), why)
    return True


async def living(session: AsyncSession, user_id: UUID) -> Sequence[LoginSession]:
    """Give the sessions of a person that can be used, the newest first."""
    return (await session.scalars(queries.sessions_of(user_id, now()))).all()


async def touch(session: AsyncSession, login: LoginSession, limits: Limits) -> None:
    """Note that a session is used, at most once a minute."""
    moment = now()
    if moment - login.last_used_at > queries.TOUCHED_EVERY:
        await session.execute(queries.touch_session(login.id, moment, limits.idle))


def _rotated(login: LoginSession, family: str, moment: datetime, limits: Limits) -> Opened:
    following = secret.make()
    login.previous_hash, login.secret_hash = login.secret_hash, secret.digest(following)
    login.rotated_at = login.last_used_at = moment
    login.idle_expires_at = moment + limits.idle
    return Opened(login, _written(login, family, following))


def _just_rotated(login: LoginSession, moment: datetime) -> bool:
    return login.rotated_at is not None and moment - login.rotated_at < GRACE


def _written(login: LoginSession, family: str, current: str) -> str:
    if login.delivery is Delivery.COOKIE:
        return secret.write(COOKIE_PREFIX, login.id, current)
    return secret.write(REFRESH_PREFIX, login.id, family, current)
