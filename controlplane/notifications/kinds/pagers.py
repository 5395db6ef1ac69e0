"""Services that wake somebody: PagerDuty, Opsgenie, Pushover."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from controlplane.notifications.kinds.base import (
    FILES_FOR_ALL,
    HTTP,
    OLDEST,
    Kind,
    Means,
    Secret,
    Text,
    Url,
)

URGENCY = (
    '{{{{ if eq .CommonLabels.severity "critical" }}}}{critical}'
    '{{{{ else if eq .CommonLabels.severity "warning" }}}}{warning}'
    "{{{{ else }}}}{info}{{{{ end }}}}"
)
# Alertmanager adds every alert under these names, however many, unless something stands there.
UNBOUNDED = {"firing": "", "resolved": ""}


class PagerDuty(Kind):
    """A service of PagerDuty (Events API v2): what is resolved is resolved there, too.

    https://developer.pagerduty.com/docs/events-api-v2/overview/
    """

    section: ClassVar = "pagerduty_configs"
    destination: ClassVar = ("api_url",)

    kind: Literal["pagerduty"] = "pagerduty"
    routing_key: Secret
    api_url: Url = "https://events.pagerduty.com/v2/enqueue"

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give the address of the API."""
        yield "api_url", self.api_url

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `pagerduty_configs`."""
        return {
            **means.secret("routing_key", self.routing_key.get_secret_value(), OLDEST),
            "url": self.api_url,
            "client": "Catalyst Health Monitor",
            "client_url": '{{ template "chm.public_url" . }}',
            "description": '{{ template "chm.subject" . }}',
            "severity": URGENCY.format(critical="critical", warning="warning", info="info"),
            "class": "{{ .CommonLabels.alertname }}",
            "component": "{{ .CommonLabels.device }}",
            "group": "{{ .CommonLabels.site }}",
            "details": {"alerts": '{{ template "chm.text" . }}', **UNBOUNDED},
            "http_config": HTTP,
        }


class Responder(BaseModel):
    """Whom Opsgenie tells."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["team", "user", "escalation", "schedule"]
    name: Text


class Opsgenie(Kind):
    """An API integration of Opsgenie; EU accounts are at https://api.eu.opsgenie.com/.

    https://docs.opsgenie.com/docs/alert-api
    """

    section: ClassVar = "opsgenie_configs"
    destination: ClassVar = ("api_url",)

    kind: Literal["opsgenie"] = "opsgenie"
    api_key: Secret
    api_url: Url = "https://api.opsgenie.com/"
    responders: Annotated[tuple[Responder, ...], Field(max_length=20)] = ()

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give the address of the API."""
        yield "api_url", self.api_url

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `opsgenie_configs`."""
        return {
            **means.secret("api_key", self.api_key.get_secret_value(), OLDEST),
            "api_url": self.api_url,
            "message": '{{ template "chm.subject" . }}',
            "description": '{{ template "chm.text" . }}',
            "source": '{{ template "chm.public_url" . }}',
            "priority": URGENCY.format(critical="P1", warning="P3", info="P5"),
            "responders": [responder.model_dump() for responder in self.responders],
            "http_config": HTTP,
        }


class Pushover(Kind):
    """Messages to telephones by Pushover (https://pushover.net/api)."""

    section: ClassVar = "pushover_configs"

    kind: Literal["pushover"] = "pushover"
    user_key: Secret
    token: Secret

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `pushover_configs`."""
        return {
            **means.secret("user_key", self.user_key.get_secret_value(), FILES_FOR_ALL),
            **means.secret("token", self.token.get_secret_value(), FILES_FOR_ALL),
            "title": '{{ template "chm.subject" . }}',
            "message": '{{ template "chm.text" . }}',
            "url": '{{ template "chm.public_url" . }}',
            "priority": URGENCY.format(critical="1", warning="0", info="-1"),
            "http_config": HTTP,
        }
