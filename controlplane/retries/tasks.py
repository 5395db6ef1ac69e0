"""What the worker does by itself for retries: forget answers that nobody asks for any more."""

from procrastinate import Blueprint, JobContext
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.database import now
from controlplane.retries import queries
from controlplane.retries.once import KEPT

EVERY_HOUR = "17 * * * *"

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_HOUR)
@blueprint.task(name="prune", queueing_lock="prune_answers", pass_context=True)
async def prune(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Remove the answers that are kept no longer."""
    sessions: async_sessionmaker[AsyncSession] = context.additional_context["sessions"]
    async with sessions.begin() as session:
        await forget(session)


async def forget(session: AsyncSession) -> None:
    """Remove them in this session."""
    await session.execute(queries.old(now() - KEPT))
