"""What the audit log keeps of a login that failed, and of a proof that was wrong."""

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import service as audit
from controlplane.audit.models import Action, Kind, Outcome, Who
from controlplane.auth import secret, sessions
from controlplane.auth.actor import Actor
from controlplane.auth.identity import Identity
from controlplane.auth.sessions import Client
from controlplane.users.models import User


async def record(identity: Identity, client: Client, user: User | None, wrong: str) -> None:
    """Write down a failed login; the name of nobody is not kept, for it may be a password."""
    async with identity.sessions.begin() as session:
        await _failed(session, _stranger(client), user, wrong if user else "name")


async def record_proof(session: AsyncSession, person: Actor, user: User, wrong: str) -> None:
    """Write down that somebody who is logged in could not prove to be this person."""
    await _failed(session, person.who, user, wrong)


async def record_reuse(session: AsyncSession, token: str, client: Client) -> None:
    """Write down that a refresh token came twice: somebody has a copy."""
    parsed = secret.parse(sessions.REFRESH_PREFIX, token, parts=2)
    await audit.record(
        session,
        Action.SECURITY_ALERT,
        who=_stranger(client),
        object_type="session",
        object_id=parsed[0] if parsed else None,
        after={"ended": "a refresh token was used twice"},
        outcome=Outcome.FAILURE,
    )


async def _failed(session: AsyncSession, who: Who, user: User | None, wrong: str) -> None:
    await audit.record(
        session,
        Action.LOGIN_FAILURE,
        who=who,
        object_type="user",
        object_id=user.id if user else None,
        object_name=user.name if user else "",
        after={"wrong": wrong},
        outcome=Outcome.FAILURE,
    )


def _stranger(client: Client) -> Who:
    origin = client.origin
    return Who(Kind.ANONYMOUS, address=origin.address, request_id=origin.request_id)
