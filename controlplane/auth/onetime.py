"""One-time secrets: invitations, resets of passwords, and the step between password and code.

A link that somebody made for somebody else names its maker, inside of what is hashed: when it is
used, the maker must still be able to change this account (`accounts.accept`).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth import queries, secret
from controlplane.auth.models import OneTimeSecret, Purpose
from controlplane.database import now
from controlplane.users.models import User

LIFETIMES = {
    Purpose.INVITATION: timedelta(days=7),
    Purpose.RESET: timedelta(hours=1),
    Purpose.SECOND_FACTOR: timedelta(minutes=5),
}
PAGES = {Purpose.INVITATION: "invitation", Purpose.RESET: "reset"}
MAKER = "~"  # between the random part and the maker; in neither
ATTEMPTS = 5  # codes that may be tried after one password


@dataclass(frozen=True)
class Ticket:
    """A one-time token with the person it is for."""

    user: User
    purpose: Purpose
    token: str = field(repr=False)

    def link(self, public_url: str) -> str:
        """Give the address to send; what follows `#` goes to no server, so no log has it."""
        return f"{public_url.rstrip('/')}/account/{PAGES[self.purpose]}#{self.token}"


async def ticket(session: AsyncSession, user: User, maker: UUID | None = None) -> Ticket:
    """Make what lets a person choose a password: the first one, or another.

    `maker` is who else will see it; None where that is nobody, or whoever owns this machine.
    """
    purpose = Purpose.INVITATION if user.invited else Purpose.RESET
    return Ticket(user, purpose, await make(session, user, purpose, maker))


async def make(
    session: AsyncSession, user: User, purpose: Purpose, maker: UUID | None = None
) -> str:
    """Make a secret for a person; an invitation or reset ends the one sent before."""
    if purpose in PAGES:
        await session.execute(queries.delete_secrets(user.id, purpose))
    made = secret.make() if maker is None else f"{secret.make()}{MAKER}{maker.hex}"
    row = OneTimeSecret(
        user_id=user.id,
        purpose=purpose,
        secret_hash=secret.digest(made),
        expires_at=now() + LIFETIMES[purpose],
    )
    session.add(row)
    await session.flush()
    return secret.write("", row.id, made)


async def find(session: AsyncSession, purpose: Purpose, token: str) -> OneTimeSecret | None:
    """Give the secret that a text names, while it is good for this purpose."""
    parsed = secret.parse("", token)
    if parsed is None:
        return None
    secret_id, (shown,) = parsed
    row = await session.scalar(queries.one_time_secret(secret_id, purpose, now()))
    return row if row is not None and secret.matches(shown, row.secret_hash) else None


def maker(token: str) -> UUID | None:
    """Give who made a token that `find` has found; None where it was for nobody else to see."""
    _, named, maker = token.rpartition(MAKER)
    return UUID(hex=maker) if named else None


async def attempt(session: AsyncSession, purpose: Purpose, token: str) -> bool:
    """Count an attempt, or say False where there were too many; commit before going on."""
    parsed = secret.parse("", token)
    if parsed is None:
        return False
    counted = await session.execute(queries.count_attempt(parsed[0], purpose, ATTEMPTS))
    return isinstance(counted, CursorResult) and counted.rowcount == 1


async def spend(session: AsyncSession, row: OneTimeSecret) -> bool:
    """Use a secret up; False where somebody else was faster."""
    gone = await session.execute(queries.delete_secret(row.id))
    return isinstance(gone, CursorResult) and gone.rowcount == 1
