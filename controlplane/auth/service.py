"""Log people in, and know who is asking."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind
from controlplane.auth import (
    api_tokens,
    failures,
    mfa,
    onetime,
    queries,
    secret,
    service_tokens,
    sessions,
    throttle,
)
from controlplane.auth.actor import Actor, Held, Origin
from controlplane.auth.identity import Identity
from controlplane.auth.models import Delivery, LoginSession, Purpose, Totp
from controlplane.auth.passwords import Verdict
from controlplane.auth.roles import grants as role_grants
from controlplane.auth.sessions import Client, Opened, Refusal
from controlplane.database import now, plain
from controlplane.errors import Busy, Conflict, Problem, Unauthenticated, WrongProof
from controlplane.users import queries as user_queries
from controlplane.users.models import User

WRONG = "user name or password is wrong"
WRONG_CODE = "the code is wrong or was used, or the login took too long"
ENDED = "the session has ended; log in again"


@dataclass(frozen=True)
class Attempt:
    """Somebody wants to log in: what they say, and how they would keep the login."""

    name: str
    password: str = field(repr=False)
    delivery: Delivery
    client: Client


@dataclass(frozen=True)
class Challenge:
    """The password was right and a code is still to come; the token says for whom."""

    token: str = field(repr=False)
    expires_in: int


async def login(identity: Identity, attempt: Attempt) -> Opened | Challenge:
    """Open a session, or ask for the second factor; a refusal does not say what was wrong.

    Raises TooMany where there were too many failures of late.
    """
    user = await _authenticate(identity, attempt)
    async with identity.sessions.begin() as session:
        if await _second_factor(session, user) is None:
            return await _open(session, identity, user, attempt.delivery, attempt.client)
        token = await onetime.make(session, user, Purpose.SECOND_FACTOR)
        return Challenge(token, int(onetime.LIFETIMES[Purpose.SECOND_FACTOR].total_seconds()))


async def login_with_code(
    identity: Identity, challenge: str, code: str, delivery: Delivery, client: Client
) -> Opened:
    """Open the session that a challenge stands for; `code` is of the clock or for recovery."""
    async with identity.sessions.begin() as session:
        counted = await onetime.attempt(session, Purpose.SECOND_FACTOR, challenge)
    async with identity.sessions.begin() as session:
        row = await onetime.find(session, Purpose.SECOND_FACTOR, challenge) if counted else None
        user = await session.get(User, row.user_id) if row else None
        if row is not None and user is not None and user.active:
            right = await accept_code(session, identity, user, code)
            if right and await onetime.spend(session, row):
                return await _open(session, identity, user, delivery, client)
    await failures.record(identity, client, user, "second factor")
    raise Unauthenticated(WRONG_CODE)


async def accept_code(session: AsyncSession, identity: Identity, user: User, code: str) -> bool:
    """Say whether a code, of the clock or for recovery, is this person's; it is used then."""
    totp = await _second_factor(session, user)
    if totp is None:
        return False
    if await mfa.accept(session, identity.vault, totp, code):
        return True
    return await mfa.recover(session, user.id, code)


async def prove(
    session: AsyncSession, identity: Identity, person: Actor, password: str | None, code: str | None
) -> User:
    """Give the person, whose password or code this is; WrongProof is counted as a failed login.

    One proof of a person is looked at at a time, others are Busy: whoever waits holds a connection.
    """
    user = await session.get_one(User, person.id)
    if not await session.scalar(queries.try_lock_proof(user.id)):
        raise Busy("another password or code of this account is being looked at", 1)
    await throttle.check(session, user.name, person.origin.address)
    if password is not None:
        right = (await identity.passwords.verify(user.password_hash, password)).right
    else:
        right = code is not None and await accept_code(session, identity, user, code)
    if not right:
        wrong = "password" if password is not None else "second factor"
        await failures.record_proof(session, person, user, wrong)
        detail = "the password or code is wrong"
        raise WrongProof(detail, Problem("", "wrong_proof", detail))
    await throttle.succeeded(session, user.name, person.origin.address)
    return user


async def refresh(identity: Identity, token: str, client: Client) -> Opened:
    """Exchange a refresh token for the next; one that was used before ends its session."""
    async with identity.sessions.begin() as session:
        outcome = await sessions.refresh(session, token, identity.limits)
        if outcome is Refusal.REUSED:
            await failures.record_reuse(session, token, client)
        elif isinstance(outcome, Opened):
            user = await session.get(User, outcome.login.user_id)
            if user is None or not user.active:
                raise Unauthenticated(ENDED)
    if outcome is Refusal.CONCURRENT:
        raise Conflict("this refresh token was exchanged a moment ago; use the one that came back")
    if isinstance(outcome, Refusal):
        raise Unauthenticated(ENDED)
    return outcome


async def identify(session: AsyncSession, identity: Identity, bearer: str, origin: Origin) -> Actor:
    """Give the actor a bearer token speaks for: a service, a person, or a person's program."""
    if not bearer.startswith(secret.TOKEN_PREFIX):
        claims = await identity.tokens.read(session, bearer)
        return await _person(
            session, identity, claims.session, lambda login: login.user_id == claims.user, origin
        )
    parsed = secret.parse(secret.TOKEN_PREFIX, bearer)
    if parsed is not None:
        token_id, (shown,) = parsed
        service = await service_tokens.identify(session, token_id, shown, origin)
        if service is not None:
            return service
        found = await api_tokens.find(session, token_id, shown, origin.address)
        if found is not None:
            token, owner = found
            totp = await _second_factor(session, owner)
            held = await role_grants.held(session, owner.id, identity.mfa_roles)
            usable = _usable(held, second_factor=totp is not None)
            return api_tokens.actor(token, owner, usable, origin)
    raise Unauthenticated("the token is not valid")


async def identify_cookie(
    session: AsyncSession, identity: Identity, cookie: str, origin: Origin
) -> Actor:
    """Give the person whose browser shows this cookie."""
    parsed = secret.parse(sessions.COOKIE_PREFIX, cookie)
    if parsed is None:
        raise Unauthenticated(ENDED)
    login_id, (shown,) = parsed
    return await _person(session, identity, login_id, lambda login: _shows(login, shown), origin)


async def _person(
    session: AsyncSession,
    identity: Identity,
    login_id: UUID,
    proves: Callable[[LoginSession], bool],
    origin: Origin,
) -> Actor:
    """Give the person of a living session, where what was shown proves that it is theirs."""
    rows = await plain(session, queries.IDENTIFYING, {"login": login_id})
    if not rows:
        raise Unauthenticated(ENDED)
    login: Any = rows[0]
    if not (proves(login) and login.active and sessions.alive(login, now())):
        raise Unauthenticated(ENDED)
    await sessions.touch(session, login, identity.limits)
    given: Iterable[Any] = (row for row in rows if row.role is not None)
    grants = ((row, row if row.permissions is not None else None) for row in given)
    held = _usable(
        role_grants.as_held(grants, identity.mfa_roles), second_factor=login.second_factor
    )
    return Actor(login.user_id, login.name, Kind.USER, held, login.id, origin)


def _shows(login: LoginSession, shown: str) -> bool:
    return login.delivery is Delivery.COOKIE and secret.matches(shown, login.secret_hash)


async def has_second_factor(session: AsyncSession, user: User) -> bool:
    """Say whether a person has a second factor that counts."""
    return await _second_factor(session, user) is not None


async def requires_second_factor(session: AsyncSession, identity: Identity, user: User) -> bool:
    """Say whether a role of a person asks for a second factor."""
    held = await role_grants.held(session, user.id, identity.mfa_roles)
    return any(grant.mfa_required for grant in held)


def _usable(held: tuple[Held, ...], *, second_factor: bool) -> tuple[Held, ...]:
    """Give what a person may do: nothing where a role asks for a second factor they do not have."""
    return () if not second_factor and any(grant.mfa_required for grant in held) else held


async def _authenticate(identity: Identity, attempt: Attempt) -> User:
    """Give the active user of this name and password.

    Whoever waits for their password to be verified holds no connection to the database.
    """
    client = attempt.client
    async with identity.sessions.begin() as session:
        await throttle.check(session, attempt.name, client.origin.address, client.device)
        user = await session.scalar(user_queries.by_name(attempt.name))
    usable = user if user is not None and user.active else None
    stored = usable.password_hash if usable else None
    verdict = await _verify(identity, stored, attempt)
    if usable is None or not verdict.right:
        await failures.record(identity, client, user, "disabled" if user else "password")
        raise Unauthenticated(WRONG)
    if verdict.outdated:
        await _rehash(identity, usable, attempt.password)
    return usable


async def _verify(identity: Identity, stored: str | None, attempt: Attempt) -> Verdict:
    """Compare the password; an attempt that nobody has time for was none, so nobody pays for it."""
    try:
        return await identity.passwords.verify(stored, attempt.password)
    except Busy:
        client = attempt.client
        async with identity.sessions.begin() as session:
            await throttle.forgive(session, attempt.name, client.origin.address, client.device)
        raise


async def _rehash(identity: Identity, user: User, password: str) -> None:
    """Hash a password that was just right with the parameters of today."""
    hashed = await identity.passwords.hash(password)
    async with identity.sessions.begin() as session:
        await session.execute(user_queries.rehash(user.id, user.password_hash, hashed))


async def _second_factor(session: AsyncSession, user: User) -> Totp | None:
    totp = await session.scalar(queries.totp(user.id))
    return totp if totp is not None and totp.confirmed_at is not None else None


async def _open(
    session: AsyncSession, identity: Identity, user: User, delivery: Delivery, client: Client
) -> Opened:
    await throttle.succeeded(session, user.name, client.origin.address, client.device)
    await session.execute(user_queries.logged_in(user.id, now()))
    opened = await sessions.start(session, user, delivery, client, identity.limits)
    actor = Actor(user.id, user.name, Kind.USER, (), opened.login.id, client.origin)
    await audit.record(
        session,
        Action.LOGIN_SUCCESS,
        who=actor.who,
        object_type="session",
        object_id=opened.login.id,
    )
    return opened
