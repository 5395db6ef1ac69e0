"""What the worker does by itself for alerts: watch Alertmanager, and hold what people decided."""

from procrastinate import Blueprint, JobContext

from controlplane.alerts.watch import Watcher

EVERY_15_SECONDS = "* * * * * */15"  # cron with a sixth column, for seconds

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_15_SECONDS)
@blueprint.task(name="watch_alerts", queueing_lock="watch_alerts", pass_context=True)
async def watch_alerts(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Take up what fires and what is over, and extend the silences of acknowledgements.

    No lock of the queue: a worker that dies would leave it taken for good. Two at once do no harm.
    """
    watcher: Watcher = context.additional_context["watcher"]
    await watcher.watch()
