"""Log people in, and know who is asking."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane import files, grammar
from controlplane.audit.models import Kind
from controlplane.auth import queries, throttle
from controlplane.auth.actor import Actor, Held
from controlplane.auth.models import ServiceToken
from controlplane.auth.passwords import Passwords
from controlplane.auth.permissions import Permission
from controlplane.auth.roles import grants
from controlplane.auth.tokens import AccessTokens
from controlplane.errors import Invalid, Problem, Unauthenticated
from controlplane.users import queries as user_queries
from controlplane.users.models import User

SERVICE_PREFIX = "chm_"


async def login(
    sessions: async_sessionmaker[AsyncSession],
    passwords: Passwords,
    name: str,
    password: str,
    address: str,
) -> User:
    """Give the active user of this name and password; the refusal does not say what was wrong.

    Raises TooMany where there were too many failures of late. Whoever waits for their password to
    be verified holds no connection to the database.
    """
    async with sessions.begin() as session:
        await throttle.check(session, name, address)
        user = await session.scalar(user_queries.by_name(name))
    usable = user is not None and user.active
    verified = await passwords.verify(user.password_hash if user and usable else None, password)
    if user is None or not verified:
        raise Unauthenticated("user name or password is wrong")
    async with sessions.begin() as session:
        await throttle.succeeded(session, name, address)
    return user


async def identify(session: AsyncSession, access: AccessTokens, bearer: str) -> Actor:
    """Give the actor a bearer token speaks for: a service's or a person's."""
    if bearer.startswith(SERVICE_PREFIX):
        return await _service(session, bearer)
    user = await session.get(User, access.read(bearer))
    if user is None or not user.active:
        raise Unauthenticated("the user of this token is gone or disabled")
    return Actor(user.id, user.name, Kind.USER, await grants.held(session, user.id, ()))


async def _service(session: AsyncSession, bearer: str) -> Actor:
    token_id, _, secret = bearer.removeprefix(SERVICE_PREFIX).partition(".")
    try:
        token = await session.get(ServiceToken, UUID(hex=token_id))
    except ValueError:
        token = None
    expected = token.secret_hash if token else _digest("")
    if not hmac.compare_digest(_digest(secret), expected) or token is None:
        raise Unauthenticated("the service token is not valid")
    permissions = frozenset(Permission(p) for p in token.permissions)
    return Actor(token.id, token.name, Kind.SERVICE, (Held(permissions),))


async def issue_service_token(
    session: AsyncSession, name: str, permissions: Collection[Permission]
) -> str:
    """Make a service's token, `chm_<id>.<secret>`; one it had before ends."""
    if not re.fullmatch(grammar.NAME_PATTERN, name):
        detail = f"the name of a token, {name!r}, must match {grammar.NAME_PATTERN}"
        raise Invalid(detail, Problem("/name", "pattern", detail))
    old = await session.scalar(queries.service_token(name))
    if old is not None:
        await session.delete(old)
        await session.flush()
    secret = secrets.token_urlsafe(32)
    token = ServiceToken(
        name=name, secret_hash=_digest(secret), permissions=sorted(p.value for p in permissions)
    )
    session.add(token)
    await session.flush()
    return f"{SERVICE_PREFIX}{token.id.hex}.{secret}"


async def ensure_token_file(
    session: AsyncSession, name: str, permissions: Collection[Permission], file: Path
) -> bool:
    """Leave a service's token in a file that only its owner reads; say whether a new one was made.

    A token that is there and still good is kept, for services may hold it.
    """
    held = _read(file)
    if held is not None and await _speaks_for(session, held, name, permissions):
        return False
    token = await issue_service_token(session, name, permissions)
    files.replace(file, token.encode(), files.PRIVATE)
    return True


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


async def _speaks_for(
    session: AsyncSession, token: str, name: str, permissions: Collection[Permission]
) -> bool:
    try:
        actor = await _service(session, token)
    except Unauthenticated:
        return False  # another database issued it
    return actor.name == name and actor.permissions == frozenset(permissions)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
