"""A route that takes everything together, on a real Alertmanager: one message, however many."""

from datetime import timedelta
from pathlib import Path

from controlplane.clients.notifier import Notifier
from controlplane.database import now
from controlplane.notifications.kinds import OPTIONS
from controlplane.notifications.receivers import OpenChannel
from controlplane.notifications.routing import RoutePlan
from controlplane.notifications.schemas import RouteOptions
from controlplane.provisioning.alertmanager import amtool, document
from controlplane.provisioning.alertmanager.deployment import Target, deploy
from controlplane.provisioning.alertmanager.document import Intention
from controlplane.settings import Settings
from tests.controlplane.notifications.running import Alertmanager, sink, until
from tests.tools import tool

NAMES, SITES, EACH = ("DeviceDown", "InterfaceDown"), ("oslo", "bergen"), 15


async def test_a_storm_over_several_sites_is_one_message(tmp_path: Path) -> None:
    """Sixty alerts of two names at two sites come at once; by default that is four messages."""
    async with sink() as web:
        settings = Settings(data=tmp_path, notify_webhooks=(web.url("/apart"),), group_wait=2)
        prometheus = settings.prometheus_folder
        (prometheus / "secrets").mkdir(parents=True)
        (prometheus / "secrets" / "alertmanager.token").write_text("token")
        options = OPTIONS.validate_python({"kind": "webhook", "url": web.url("/together")})
        channel = OpenChannel("pager", options)
        route = RoutePlan("digest", ("pager",), RouteOptions(group_by=[], group_interval=900))
        server = Alertmanager(prometheus)
        version = await amtool.version(tool("amtool"), 10)
        async with Notifier.at(server.url) as stopped:
            wanted = document.build(settings, Intention((channel,), (route,)), version)
            await deploy(wanted, Target(prometheus, stopped, tool("amtool")))
        async with server.running() as notifier:
            await notifier._request("POST", "/api/v2/alerts", json=_storm())
            await until(lambda: len(web.at("/apart")) == len(NAMES) * len(SITES))
            await until(lambda: web.at("/together"))

    (message,) = web.at("/together")
    assert len(message.body["alerts"]) == len(NAMES) * len(SITES) * EACH


def _storm() -> list[dict[str, object]]:
    ends = (now() + timedelta(minutes=5)).isoformat()
    return [
        {
            "labels": {"alertname": name, "site": site, "device": f"sw{n}", "severity": "critical"},
            "endsAt": ends,
        }
        for name in NAMES
        for site in SITES
        for n in range(EACH)
    ]
