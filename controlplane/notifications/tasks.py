"""What the worker clears away: notices of outages that have long been over."""

from procrastinate import Blueprint, JobContext
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.notifications import inbox

EVERY_NIGHT = "27 3 * * *"

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_NIGHT)
@blueprint.task(name="forget_old_notices", queueing_lock="forget_old_notices", pass_context=True)
async def forget_old_notices(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Remove notices that nobody looks for any more."""
    sessions: async_sessionmaker[AsyncSession] = context.additional_context["sessions"]
    async with sessions.begin() as session:
        await inbox.forget(session)
