"""What the worker does by itself for channels with a cap: digests, ends, and a tidy table."""

from procrastinate import Blueprint, JobContext
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.digests import service
from controlplane.digests.telling import Sender

EVERY_TEN_SECONDS = "* * * * * */10"
EVERY_NIGHT = "34 3 * * *"

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_TEN_SECONDS)
@blueprint.task(name="tell_digests", queueing_lock="tell_digests", pass_context=True)
async def tell_digests(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Tell channels with a cap what they have room for, and the end of what they were told."""
    sender: Sender = context.additional_context["sender"]
    await sender.run()


@blueprint.periodic(cron=EVERY_NIGHT)
@blueprint.task(name="forget_old_messages", queueing_lock="forget_old_messages", pass_context=True)
async def forget_old_messages(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Remove messages that nobody looks for any more."""
    sessions: async_sessionmaker[AsyncSession] = context.additional_context["sessions"]
    async with sessions.begin() as session:
        await service.forget(session)
