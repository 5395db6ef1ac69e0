"""What the worker does by itself: keep the rule set in force the one that the intent asks for."""

from procrastinate import Blueprint, JobContext

from controlplane.provisioning import service

EVERY_15_SECONDS = "* * * * * */15"  # cron with a sixth column, for seconds

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_15_SECONDS)
@blueprint.task(name="deploy_rules", queueing_lock="deploy_rules", pass_context=True)
async def deploy_rules(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Render the rule set and put it in force where it differs from the one in force."""
    deployer: service.Deployer = context.additional_context["deployer"]
    await deployer.deploy()
