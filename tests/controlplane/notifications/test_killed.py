"""An Alertmanager that is killed, started as the stack starts it: whom it told it knows again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from controlplane.clients.notifier import Notifier
from controlplane.database import now
from controlplane.provisioning.alertmanager import amtool, document
from controlplane.provisioning.alertmanager.deployment import Target, deploy
from controlplane.provisioning.alertmanager.document import Intention
from controlplane.settings import Settings
from controlplane.stack import services
from tests.controlplane.notifications.running import Sink, _until_ready, sink, until
from tests.controlplane.provisioning.server import free_port
from tests.tools import tool

OUTAGE = {"alertname": "DeviceDown", "severity": "critical", "device": "core1", "site": "oslo"}
LATER = {**OUTAGE, "site": "bergen"}
LONG, OVER = timedelta(minutes=5), timedelta()


@asynccontextmanager
async def alertmanager(settings: Settings) -> AsyncIterator[Notifier]:
    """Run it until the end of the block, which kills it."""
    argv = services.alertmanager(settings).argv
    with (settings.data / "alertmanager.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*argv, stdout=log, stderr=log)
    try:
        async with Notifier.at(settings.alertmanager_url) as notifier:
            await _until_ready(notifier, process)
            yield notifier
    finally:
        process.kill()
        await process.wait()


def told(web: Sink, site: str) -> list[str]:
    """Give the status of each notification about a site."""
    return [
        alert["status"]
        for request in web.at("/hook")
        for alert in request.body["alerts"]
        if alert["labels"]["site"] == site
    ]


async def test_nothing_is_told_twice_and_the_end_is_told(tmp_path: Path) -> None:
    """Killed while an alert fires, it tells no second time, and tells that it is over, once."""
    log = tmp_path / "alertmanager" / "nflog"
    async with sink() as web:
        settings = Settings(
            data=tmp_path,
            notify_webhooks=(web.url("/hook"),),
            alertmanager_port=free_port(),
            group_wait=1,
            group_interval=1,
        )
        prometheus = settings.prometheus_folder
        (prometheus / "secrets").mkdir(parents=True)
        (prometheus / "secrets" / "alertmanager.token").write_text("token")
        version = await amtool.version(tool("amtool"), 10)
        async with Notifier.at(settings.alertmanager_url) as stopped:
            wanted = document.build(settings, Intention(), version)
            await deploy(wanted, Target(prometheus, stopped, tool("amtool")))
        async with alertmanager(settings) as notifier:
            await notifier.tell(OUTAGE, {}, now() + LONG)
            await until(lambda: told(web, "oslo") == ["firing"])
            await until(lambda: log.exists() and b"people" in log.read_bytes(), 30)
        async with alertmanager(settings) as notifier:
            await notifier.tell(OUTAGE, {}, now() + LONG)
            await notifier.tell(LATER, {}, now() + LONG)
            await until(lambda: told(web, "bergen") == ["firing"])
            await notifier.tell(OUTAGE, {}, now() + OVER)
            await until(lambda: "resolved" in told(web, "oslo"))
    assert told(web, "oslo") == ["firing", "resolved"]
