"""The kinds of channels, one class each: what their settings are, and what receiver they make."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, TypeAdapter

from controlplane.notifications.kinds.base import Inline, Kind, Means, Unsupported, Version
from controlplane.notifications.kinds.chat import Discord, MsTeams, Slack, Telegram
from controlplane.notifications.kinds.mail import Email
from controlplane.notifications.kinds.pagers import Opsgenie, PagerDuty, Pushover
from controlplane.notifications.kinds.webhook import Webhook

AnyKind = Email | Slack | MsTeams | PagerDuty | Opsgenie | Webhook | Telegram | Discord | Pushover
Options = Annotated[AnyKind, Field(discriminator="kind")]
OPTIONS: TypeAdapter[AnyKind] = TypeAdapter(Options)

BY_KIND: Mapping[str, type[Kind]] = MappingProxyType(
    {
        "email": Email,
        "slack": Slack,
        "msteams": MsTeams,
        "pagerduty": PagerDuty,
        "opsgenie": Opsgenie,
        "webhook": Webhook,
        "telegram": Telegram,
        "discord": Discord,
        "pushover": Pushover,
    }
)

__all__ = [
    "BY_KIND",
    "OPTIONS",
    "Discord",
    "Email",
    "Inline",
    "Kind",
    "Means",
    "MsTeams",
    "Opsgenie",
    "Options",
    "PagerDuty",
    "Pushover",
    "Slack",
    "Telegram",
    "Unsupported",
    "Version",
    "Webhook",
]
