"""The kinds of channels, one class each: what their settings are, and what receiver they make."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import (
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from controlplane.notifications.kinds.base import Inline, Kind, Means, Unsupported, Version
from controlplane.notifications.kinds.chat import Discord, MsTeams, Slack, Telegram
from controlplane.notifications.kinds.mail import Email
from controlplane.notifications.kinds.pagers import Opsgenie, PagerDuty, Pushover
from controlplane.notifications.kinds.webhook import Webhook

AnyKind = Email | Slack | MsTeams | PagerDuty | Opsgenie | Webhook | Telegram | Discord | Pushover


def _without_kind(value: Any, handler: ValidatorFunctionWrapHandler) -> AnyKind:
    """Say where a mistake stands as the document has it: the union adds the kind to the way."""
    try:
        options: AnyKind = handler(value)
    except ValidationError as error:
        raise ValidationError.from_exception_data(
            error.title,
            [
                InitErrorDetails(
                    type=PydanticCustomError(e["type"], "{words}", {"words": e["msg"]}),
                    loc=e["loc"][1:],
                    input=None,  # it may be a secret
                )
                for e in error.errors(include_input=False, include_url=False)
            ],
        ) from None
    return options


Options = Annotated[AnyKind, Field(discriminator="kind"), WrapValidator(_without_kind)]
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
