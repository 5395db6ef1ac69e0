"""What the worker does by itself: keep Alertmanager telling whom people asked it to tell."""

from procrastinate import Blueprint, JobContext

from controlplane.provisioning.alertmanager.service import RoutingDeployer

EVERY_5_SECONDS = "* * * * * */5"  # cron with a sixth column, for seconds

blueprint = Blueprint()


@blueprint.periodic(cron=EVERY_5_SECONDS)
@blueprint.task(name="deploy_routes", queueing_lock="deploy_routes", pass_context=True)
async def deploy_routes(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes the moment it was due
    """Render alertmanager.yml and put it in force where it differs from the one in force."""
    deployer: RoutingDeployer = context.additional_context["routing_deployer"]
    await deployer.deploy()
