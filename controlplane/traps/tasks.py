"""What the worker clears away: events that were kept long enough."""

from datetime import timedelta

from procrastinate import Blueprint, JobContext
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.traps import service

EVERY_NIGHT = "47 3 * * *"

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_NIGHT)
@blueprint.task(name="forget_old_events", queueing_lock="forget_old_events", pass_context=True)
async def forget_old_events(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Remove events that are older than they are kept."""
    sessions: async_sessionmaker[AsyncSession] = context.additional_context["sessions"]
    kept: timedelta = context.additional_context["event_retention"]
    async with sessions.begin() as session:
        await service.forget(session, kept)
