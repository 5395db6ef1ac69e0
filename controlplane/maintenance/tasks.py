"""What the worker does by itself for maintenance: keep the silences of windows."""

from procrastinate import Blueprint, JobContext

from controlplane.maintenance.keeper import Keeper

EVERY_TEN_SECONDS = "* * * * * */10"

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_TEN_SECONDS)
@blueprint.task(name="keep_silences", queueing_lock="keep_silences", pass_context=True)
async def keep_silences(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Have Alertmanager silence what is in maintenance, and nothing that no longer is."""
    keeper: Keeper = context.additional_context["keeper"]
    await keeper.keep()
