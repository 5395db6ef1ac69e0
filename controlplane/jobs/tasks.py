"""What the worker does for jobs: take them up, and forget old ones."""

from datetime import timedelta

from procrastinate import Blueprint, JobContext

from controlplane.database import now
from controlplane.jobs import queries
from controlplane.jobs.runner import Runner

QUEUE = "jobs"  # of its own: what takes minutes holds up nothing that is due every few seconds
EVERY_2_SECONDS = "* * * * * */2"  # cron with a sixth column, for seconds
EVERY_HOUR = "7 * * * *"
KEPT = timedelta(days=30)

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_2_SECONDS)
@blueprint.task(name="run_jobs", queue=QUEUE, queueing_lock="run_jobs", pass_context=True)
async def run_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Do the jobs that wait."""
    runner: Runner = context.additional_context["runner"]
    await runner.run()


@blueprint.periodic(cron=EVERY_HOUR)
@blueprint.task(name="forget_jobs", queueing_lock="forget_jobs", pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - ...
    """Delete the jobs that ended 30 days ago."""
    async with context.additional_context["sessions"].begin() as session:
        await session.execute(queries.old(now() - KEPT))
