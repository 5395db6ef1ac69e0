"""What the worker clears away: logins and links that have long been over."""

from datetime import timedelta

from procrastinate import Blueprint, JobContext
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.auth import queries
from controlplane.database import now

EVERY_NIGHT = "17 3 * * *"
KEPT = timedelta(days=30)  # so that an admin can still see how a login ended

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_NIGHT)
@blueprint.task(name="forget_old_logins", queueing_lock="forget_old_logins", pass_context=True)
async def forget_old_logins(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Remove sessions that ended a month ago, and one-time secrets that are no longer good."""
    sessions: async_sessionmaker[AsyncSession] = context.additional_context["sessions"]
    async with sessions.begin() as session:
        await forget(session)


async def forget(session: AsyncSession) -> None:
    """Remove what is over."""
    await session.execute(queries.old_sessions(now() - KEPT))
    await session.execute(queries.old_secrets(now()))
