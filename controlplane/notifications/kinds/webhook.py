"""A webhook: Alertmanager's own JSON to any web service that takes it."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from controlplane.notifications.kinds.base import (
    FILES_FOR_ALL,
    HTTP,
    Kind,
    Means,
    Secret,
    SecretUrl,
)


class Webhook(Kind):
    """A web service, asked with `Authorization: Bearer <token>` where there is a token.

    https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    """

    section: ClassVar = "webhook_configs"
    destination: ClassVar = ("url",)

    kind: Literal["webhook"] = "webhook"
    url: SecretUrl
    token: Secret | None = None

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Give the address of the service."""
        yield "url", self.url.get_secret_value()

    def config(self, means: Means) -> dict[str, Any]:
        """Give an entry of `webhook_configs`."""
        http: dict[str, Any] = dict(HTTP)
        if self.token is not None:
            file = means.keep("token", self.token.get_secret_value())
            http["authorization"] = {"credentials_file": file}
        address = means.secret("url", self.url.get_secret_value(), FILES_FOR_ALL)
        return {**address, "http_config": http}
