"""What the worker does for targets: poll devices that sent traps."""

from procrastinate import Blueprint, JobContext

from controlplane.targets.polling import Prompted

QUEUE = "polls"  # of its own: a silent device takes as long as one waits for it
AT_ONCE = 4  # half of the places, so that people have some, too
EVERY_2_SECONDS = "* * * * * */2"  # cron with a sixth column, for seconds

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_2_SECONDS)
@blueprint.task(name="poll_prompted", queue=QUEUE, queueing_lock="poll_prompted", pass_context=True)
async def poll_prompted(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Poll the devices that sent traps; where others do so already, beside them."""
    prompted: Prompted = context.additional_context["prompted"]
    await prompted.run()
