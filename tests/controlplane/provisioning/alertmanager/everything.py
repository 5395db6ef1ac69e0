"""An intention with a channel of every kind and a route that uses every option."""

from typing import Any

from controlplane.notifications.caps import Cap
from controlplane.notifications.kinds import OPTIONS
from controlplane.notifications.receivers import OpenChannel
from controlplane.notifications.routing import RoutePlan
from controlplane.notifications.schemas import Quiet, RouteOptions
from controlplane.provisioning.alertmanager.document import Intention

KINDS: dict[str, dict[str, Any]] = {
    "email": {"to": ["noc@example.net"], "host": "mail.example.net", "sender": "chm@example.net"}
    | {"username": "chm", "password": "secret-mail"},
    "slack": {"url": "https://slack.example.net/secret-slack", "channel": "#noc"},
    "msteams": {"url": "https://teams.example.net/secret-teams"},
    "pagerduty": {"routing_key": "secret-pagerduty"},
    "opsgenie": {
        "api_key": "secret-opsgenie",
        "responders": [{"type": "team", "name": "NOC"}],
    },
    "webhook": {"url": "https://hook.example.net/secret-hook", "token": "secret-token"},
    "telegram": {"bot_token": "1:secret-telegram", "chat_id": -100},
    "discord": {"url": "https://discord.example.net/secret-discord"},
    "pushover": {"user_key": "secret-user", "token": "secret-pushover"},
}


def channel(kind: str) -> OpenChannel:
    """Give a channel that is named like its kind."""
    options = OPTIONS.validate_python({"kind": kind, **KINDS[kind]})
    cap = Cap(notifications=5, seconds=600) if kind == "pushover" else None
    return OpenChannel(kind, options, send_resolved=kind != "telegram", cap=cap)


def intention() -> Intention:
    """Give all of it; Sunday's night reaches into Monday."""
    night = RouteOptions(
        severities=["critical", "info"],
        sites=["oslo", "Hall 3.b"],
        roles=["core"],
        alertclasses=["cause"],
        alertnames=["DeviceDown"],
        quiet=[Quiet(days=["sunday"], start="22:00", end="06:00", time_zone="Europe/Oslo")],
        group_by=["site"],
        group_wait=1.5,
        group_interval=300,
        repeat_interval=7200,
        stop=True,
    )
    everyone = RoutePlan("everyone", tuple(KINDS), RouteOptions())
    return Intention(
        tuple(channel(kind) for kind in KINDS), (RoutePlan("night", ("slack",), night), everyone)
    )
