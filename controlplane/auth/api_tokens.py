"""What a person's programs show instead of a login: `chm_<id>.<secret>`.

A token holds some of its owner's permissions, and at each use only those the owner still has.
"""

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind
from controlplane.audit.service import Fields
from controlplane.auth import queries, secret
from controlplane.auth.actor import Actor, Held, Origin
from controlplane.auth.models import ApiToken
from controlplane.auth.permissions import Permission
from controlplane.database import now
from controlplane.errors import Conflict, Invalid, NotFound, Problem
from controlplane.users.models import User

PER_PERSON = 50


@dataclass(frozen=True)
class Wish:
    """A token somebody wants: its name, what it may do, from where, until when."""

    name: str
    scopes: Collection[Permission]
    networks: Collection[str] = ()
    expires_at: datetime | None = None


async def create(session: AsyncSession, owner: Actor, wish: Wish) -> tuple[ApiToken, str]:
    """Make a token for whoever is asking; give it in the clear, this once."""
    _check(owner, wish)
    held = (await session.scalars(queries.api_tokens(_id(owner)))).all()
    if any(token.name == wish.name for token in held):
        raise Conflict(f"you have a token {wish.name!r} already")
    if len(held) >= PER_PERSON:
        raise Conflict(f"nobody has more than {PER_PERSON} tokens; revoke one")
    made = secret.make()
    token = ApiToken(
        user_id=_id(owner),
        name=wish.name,
        secret_hash=secret.digest(made),
        scopes=sorted(scope.value for scope in set(wish.scopes)),
        networks=_networks(wish.networks),
        expires_at=wish.expires_at,
    )
    session.add(token)
    await session.flush()
    fields = {"scopes": token.scopes, "networks": token.networks, "expires_at": token.expires_at}
    await _record(session, owner, Action.TOKEN_CREATED, token, fields)
    return token, secret.write(secret.TOKEN_PREFIX, token.id, made)


async def listed(session: AsyncSession, user_id: UUID) -> Sequence[ApiToken]:
    """Give a person's tokens that were not revoked."""
    return (await session.scalars(queries.api_tokens(user_id))).all()


async def everybodys(session: AsyncSession) -> Sequence[tuple[ApiToken, User]]:
    """Give all tokens that were not revoked, with their owners."""
    return (await session.execute(queries.everybodys_api_tokens())).tuples().all()


async def revoke(session: AsyncSession, owner: Actor, token_id: UUID) -> None:
    """End a person's token; somebody else's is as good as none."""
    token = await session.get(ApiToken, token_id)
    if token is None or token.user_id != owner.id or token.revoked_at is not None:
        raise NotFound("you have no such token")
    await _end(session, owner, token)


async def revoke_named(session: AsyncSession, actor: Actor, person: str, name: str) -> bool:
    """End the token that a person calls so; say whether there was one."""
    for token, owner in await everybodys(session):
        if (owner.name, token.name) == (person, name):
            await _end(session, actor, token)
            return True
    return False


async def find(
    session: AsyncSession, token_id: UUID, shown: str, address: str
) -> tuple[ApiToken, User] | None:
    """Give a token that is good now and from this address, with its owner; note its use."""
    row = (await session.execute(queries.api_token(token_id))).one_or_none()
    if row is None:
        return None
    token, owner = row
    right = secret.matches(shown, token.secret_hash)
    if not (right and owner.active and _good(token, now()) and _reachable(token, address)):
        return None
    if token.last_used_at is None or now() - token.last_used_at > queries.TOUCHED_EVERY:
        await session.execute(queries.touch_api_token(token.id, now(), address))
    return token, owner


def actor(token: ApiToken, owner: User, grants: tuple[Held, ...], origin: Origin) -> Actor:
    """Give the owner as the token lets them be; scopes of an older version mean nothing."""
    known = {permission.value: permission for permission in Permission}
    scopes = [known[scope] for scope in token.scopes if scope in known]
    whole = Actor(owner.id, f"{owner.name}/{token.name}", Kind.TOKEN, grants, origin=origin)
    return whole.limited_to(scopes)


def _check(owner: Actor, wish: Wish) -> None:
    excess = sorted(scope.value for scope in set(wish.scopes) - owner.permissions)
    if excess:
        detail = f"you do not have {', '.join(excess)} to give"
        raise Invalid(detail, Problem("/scopes", "excess", detail))
    if wish.expires_at is not None and wish.expires_at <= now():
        raise Invalid("a token expires later than now", Problem("/expires_at", "past", "is past"))


def _networks(networks: Collection[str]) -> list[str]:
    written = []
    for position, network in enumerate(networks):
        try:
            written.append(str(ipaddress.ip_network(network)))
        except ValueError as error:
            problem = Problem(f"/networks/{position}", "network", str(error))
            raise Invalid(f"{network!r} is no network", problem) from None
    return written


def _good(token: ApiToken, moment: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or moment < token.expires_at)


def _reachable(token: ApiToken, address: str) -> bool:
    if not token.networks:
        return True
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in ipaddress.ip_network(network) for network in token.networks)


async def _end(session: AsyncSession, actor: Actor, token: ApiToken) -> None:
    token.revoked_at = now()
    await _record(session, actor, Action.TOKEN_REVOKED, token)


async def _record(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    token: ApiToken,
    after: Fields | None = None,
) -> None:
    await audit.record(
        session,
        action,
        who=actor.who,
        object_type="token",
        object_id=token.id,
        object_name=token.name,
        after=after,
    )


def _id(owner: Actor) -> UUID:
    if owner.id is None:
        raise Invalid("only a person has tokens")
    return owner.id
