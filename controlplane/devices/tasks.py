"""What the worker does by itself for the inventory: learn what devices tell, forget names."""

from procrastinate import Blueprint, JobContext

from controlplane.devices import names
from controlplane.devices.facts import Learner
from controlplane.devices.interfaces.learning import InterfaceLearner

EVERY_MINUTE = "* * * * *"
EVERY_FIVE_MINUTES = "*/5 * * * *"
EVERY_NIGHT = "37 3 * * *"

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_MINUTE)
@blueprint.task(name="learn_facts", queueing_lock="learn_facts", pass_context=True)
async def learn_facts(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Take up vendor, model, version, serial number and profile of every device."""
    learner: Learner = context.additional_context["learner"]
    await learner.learn()


@blueprint.periodic(cron=EVERY_FIVE_MINUTES)
@blueprint.task(name="learn_interfaces", queueing_lock="learn_interfaces", pass_context=True)
async def learn_interfaces(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - ...
    """Take up the interfaces of every device."""
    learner: InterfaceLearner = context.additional_context["interface_learner"]
    await learner.learn()


@blueprint.periodic(cron=EVERY_NIGHT)
@blueprint.task(name="forget_former_names", queueing_lock="forget_former_names", pass_context=True)
async def forget_former_names(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - ...
    """Forget the names that devices gave up long ago."""
    async with context.additional_context["sessions"].begin() as session:
        await names.forget(session)
