"""What the worker does by itself for the inventory: learn what devices say of themselves."""

from procrastinate import Blueprint, JobContext

from controlplane.devices.facts import Learner

EVERY_MINUTE = "* * * * *"

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_MINUTE)
@blueprint.task(name="learn_facts", queueing_lock="learn_facts", pass_context=True)
async def learn_facts(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Take up vendor, model, version, serial number and profile of every device."""
    learner: Learner = context.additional_context["learner"]
    await learner.learn()
