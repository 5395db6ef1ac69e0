"""What services show instead of a login: `chm_<id>.<secret>`, each in a file of its own."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import events, files, grammar
from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind
from controlplane.auth import queries, secret
from controlplane.auth.actor import Actor, Held, Origin, system
from controlplane.auth.models import ServiceToken
from controlplane.auth.permissions import Permission
from controlplane.database import now
from controlplane.errors import ConfigurationError, Invalid, Problem

NOWHERE = Origin()  # nobody asks: a file is looked at


async def identify(
    session: AsyncSession, token_id: UUID, shown: str, origin: Origin
) -> Actor | None:
    """Give the service of this token, or None where it is no service's token, or has expired."""
    token = await session.get(ServiceToken, token_id)
    if token is None or not (secret.matches(shown, token.secret_hash) and token.good(now())):
        return None
    held = Held(frozenset(Permission(p) for p in token.permissions))
    until = token.expires_at
    return Actor(token.id, token.name, Kind.SERVICE, (held,), origin=origin, until=until)


async def issue(
    session: AsyncSession,
    actor: Actor,
    name: str,
    permissions: Collection[Permission],
    expires_at: datetime | None = None,
) -> str:
    """Make a service's token, without an end unless one is given; one it had before ends."""
    if not re.fullmatch(grammar.NAME_PATTERN, name):
        detail = f"the name of a token, {name!r}, must match {grammar.NAME_PATTERN}"
        raise Invalid(detail, Problem("/name", "pattern", detail))
    if expires_at is not None and expires_at <= now():
        raise Invalid("a token expires later than now", Problem("/expires_at", "past", "is past"))
    await events.changed(session)
    await revoke(session, actor, name)
    made = secret.make()
    token = ServiceToken(
        name=name,
        secret_hash=secret.digest(made),
        permissions=sorted(p.value for p in permissions),
        expires_at=expires_at,
    )
    session.add(token)
    await session.flush()
    await _record(session, actor, Action.TOKEN_CREATED, token)
    return secret.write(secret.TOKEN_PREFIX, token.id, made)


async def revoke(session: AsyncSession, actor: Actor, name: str) -> bool:
    """End a service's token; say whether there was one."""
    await events.changed(session)
    old = await session.scalar(queries.service_token(name))
    if old is None:
        return False
    await session.delete(old)
    await session.flush()
    await _record(session, actor, Action.TOKEN_REVOKED, old)
    return True


async def listed(session: AsyncSession) -> Sequence[ServiceToken]:
    """Give the tokens of services, by name."""
    return (await session.scalars(queries.service_tokens())).all()


async def ensure_file(
    session: AsyncSession,
    name: str,
    permissions: Collection[Permission],
    file: Path,
    *,
    renew: bool = False,
) -> bool:
    """Leave a service's token in a file that only its owner reads; say whether a new one was made.

    A token that is there and still good is kept. One that the database knows and the file does
    not may be in use on another machine: it ends only where `renew` says so, or by itself.
    """
    holder = await _holder(session, file)
    ours = holder is not None and holder.name == name
    if ours and holder is not None and holder.permissions == frozenset(permissions):
        return False
    known = await session.scalar(queries.service_token(name))
    if not (ours or renew) and known is not None and known.good(now()):
        raise ConfigurationError(
            f"the database knows a token of {name} that is not in {file}: copy that file from the"
            " installation that has it, or end that token with `chm init --new-tokens`"
        )
    token = await issue(session, system("setup"), name, permissions)
    files.replace(file, token.encode(), files.PRIVATE)
    return True


async def _holder(session: AsyncSession, file: Path) -> Actor | None:
    """Give the service whose token lies in a file, where this database issued it."""
    parsed = secret.parse(secret.TOKEN_PREFIX, _read(file))
    return None if parsed is None else await identify(session, parsed[0], parsed[1][0], NOWHERE)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


async def _record(session: AsyncSession, actor: Actor, action: Action, token: ServiceToken) -> None:
    await audit.record(
        session,
        action,
        who=actor.who,
        object_type="service_token",
        object_id=token.id,
        object_name=token.name,
        after=(
            {"permissions": token.permissions, "expires_at": token.expires_at}
            if action is Action.TOKEN_CREATED
            else None
        ),
    )
