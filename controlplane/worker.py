"""The worker: takes jobs from the queue in PostgreSQL; run as many as the load wants."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.jobs import DEFAULT_QUEUE

from controlplane import database
from controlplane.alerts import tasks as alerts
from controlplane.alerts.watch import Holder, Watcher
from controlplane.audit import session as audited
from controlplane.auth import keys
from controlplane.auth import tasks as auth
from controlplane.clients.alertmanager import Alertmanager
from controlplane.clients.notifier import Notifier
from controlplane.clients.prometheus import Prometheus
from controlplane.devices import tasks as inventory
from controlplane.devices.addresses import Reach
from controlplane.devices.facts import Learner
from controlplane.devices.interfaces.learning import InterfaceLearner
from controlplane.digests import tasks as digests
from controlplane.digests.telling import Sender
from controlplane.escalation import tasks as escalation
from controlplane.escalation.engine import Engine
from controlplane.escalation.telling import ThroughAlertmanager
from controlplane.jobs import tasks as jobs
from controlplane.jobs.runner import Runner
from controlplane.maintenance import tasks as maintenance
from controlplane.maintenance.keeper import Keeper
from controlplane.notifications import tasks as notifications
from controlplane.provisioning import tasks as provisioning
from controlplane.provisioning.alerting_rules import work as previews
from controlplane.provisioning.alertmanager import tasks as routings
from controlplane.provisioning.alertmanager.service import RoutingDeployer
from controlplane.provisioning.service import Deployer
from controlplane.retries import tasks as retries
from controlplane.settings import Settings
from controlplane.targets import tasks as targets
from controlplane.targets.polling import Poller, Prompted
from controlplane.transfer.work import KIND, Import
from controlplane.traps import tasks as traps
from controlplane.vault import Vault, ring

GRACE = 3.0  # seconds that a long job has to end once the worker should


def queue(settings: Settings) -> App:
    """Make the queue with every task of the control plane in it."""
    connector = PsycopgConnector(
        conninfo=database.conninfo(settings), kwargs={"options": "-c search_path=queue"}
    )
    app = App(connector=connector)
    app.add_tasks_from(provisioning.blueprint, namespace="provisioning")
    app.add_tasks_from(inventory.blueprint, namespace="devices")
    app.add_tasks_from(auth.blueprint, namespace="auth")
    app.add_tasks_from(alerts.blueprint, namespace="alerts")
    app.add_tasks_from(digests.blueprint, namespace="digests")
    app.add_tasks_from(escalation.blueprint, namespace="escalation")
    app.add_tasks_from(maintenance.blueprint, namespace="maintenance")
    app.add_tasks_from(jobs.blueprint, namespace="jobs")
    app.add_tasks_from(notifications.blueprint, namespace="notifications")
    app.add_tasks_from(retries.blueprint, namespace="retries")
    app.add_tasks_from(routings.blueprint, namespace="alertmanager")
    app.add_tasks_from(targets.blueprint, namespace="targets")
    app.add_tasks_from(traps.blueprint, namespace="traps")
    return app


async def run(settings: Settings) -> None:
    """Work until a signal ends it."""
    key = keys.load(settings.secrets / "audit.key")
    engine = database.connect(settings)
    vault = await asyncio.to_thread(Vault, ring.from_settings(settings))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        prometheus = await stack.enter_async_context(Prometheus.at(settings.prometheus_url))
        alertmanager = await stack.enter_async_context(Alertmanager.at(settings.alertmanager_url))
        notifier = await stack.enter_async_context(Notifier.at(settings.alertmanager_url))
        sessions = audited.sessions(engine, key)
        context = {
            "deployer": Deployer(settings, sessions, prometheus),
            "routing_deployer": RoutingDeployer(settings, sessions, notifier, vault),
            "sessions": sessions,
            "event_retention": timedelta(seconds=settings.event_retention),
            "learner": Learner(sessions, prometheus),
            "interface_learner": InterfaceLearner(
                sessions, prometheus, timedelta(seconds=settings.scrape_interval)
            ),
            "prompted": Prompted(
                sessions, Poller(vault, settings), timedelta(seconds=settings.trap_poll_pause)
            ),
            "watcher": Watcher(
                Holder(sessions, alertmanager),
                prometheus,
                settle=timedelta(seconds=settings.alerts_settle),
                warm_up=timedelta(seconds=settings.alerts_settle + 2 * settings.scrape_interval),
                confirm=timedelta(seconds=settings.alerts_confirm),
            ),
            "engine": Engine(sessions, ThroughAlertmanager(alertmanager)),
            "sender": Sender(sessions, alertmanager, settings.public_url),
            "keeper": Keeper(sessions, alertmanager),
            "runner": Runner(
                sessions,
                vault,
                {
                    KIND: Import(vault, Reach.of(settings)),
                    previews.KIND: previews.Preview(previews.previewer(settings, prometheus)),
                },
            ),
        }
        app = queue(settings)
        async with app.open_async():
            await _work(app, context)


async def _work(app: App, context: dict[str, Any]) -> None:
    """Work on all queues at once, so that a long job holds up nothing, until a signal ends it."""
    usual = asyncio.create_task(
        app.run_worker_async(
            queues=[DEFAULT_QUEUE], additional_context=context, delete_jobs="successful"
        )
    )
    long = {
        asyncio.create_task(
            app.run_worker_async(
                queues=[name],
                concurrency=concurrency,
                additional_context=context,
                delete_jobs="successful",
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE,
            )
        )
        for name, concurrency in ((jobs.QUEUE, 1), (targets.QUEUE, targets.AT_ONCE))
    }
    parts = {usual, *long}
    try:
        await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for part in parts:
            part.cancel()
        await asyncio.wait(parts)
    for part in parts:
        if not part.cancelled():
            part.result()
