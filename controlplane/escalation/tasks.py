"""What the worker does by itself for escalation: look at what fires and nobody has."""

from procrastinate import Blueprint, JobContext

from controlplane.escalation.engine import Engine

EVERY_TEN_SECONDS = "* * * * * */10"

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_TEN_SECONDS)
@blueprint.task(name="escalate", queueing_lock="escalate", pass_context=True)
async def escalate(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Tell the next in line of each alert that nobody has acknowledged in time."""
    engine: Engine = context.additional_context["engine"]
    await engine.run()
