"""Alertmanager as who notifies: which configuration it runs, and how its deliveries went.

What goes wrong is what goes wrong with `controlplane.clients.alertmanager`, on which it stands.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from controlplane.clients.alertmanager import Alertmanager, NotRunning, PostedAlert, Refused
from controlplane.clients.client import Client
from controlplane.errors import Unavailable

VERSION = re.compile(r"(\d+)\.(\d+)")
ATTEMPTS = "alertmanager_notification_requests_total"
FAILURES = "alertmanager_notification_requests_failed_total"


@dataclass(frozen=True)
class Attempts:
    """How often a message was tried to be sent, and how often in vain."""

    tried: float = 0
    failed: float = 0

    def since(self, before: "Attempts") -> "Attempts":
        """Give what was added; a counter that began anew counts from nothing."""
        if self.tried < before.tried or self.failed < before.failed:
            return self
        return Attempts(self.tried - before.tried, self.failed - before.failed)


@dataclass(frozen=True)
class Deliveries:
    """Attempts of one integration; `exact` where they are those of one receiver alone."""

    attempts: Attempts
    exact: bool


class Notifier(Client):
    """A client of one Alertmanager; close it, or use it in `async with`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__(http)
        self._api = Alertmanager(http)

    async def version(self) -> tuple[int, ...]:
        """Return the version that runs, as `(0, 25)`."""
        return parse_version((await self._api.status()).version)

    async def receivers(self) -> frozenset[str]:
        """Return the names of the receivers of the configuration that runs."""
        return frozenset(str(item["name"]) for item in await self._json("GET", "/api/v2/receivers"))

    async def reload(self) -> None:
        """Have Alertmanager read its configuration again; on Refused it keeps the one it has."""
        await self._request("POST", "/-/reload")

    async def tell(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], until: datetime
    ) -> None:
        """Tell an alert that fires until then, unless it is told again."""
        moment = datetime.now(UTC)
        await self._api.post_alerts([PostedAlert(labels, annotations, moment, until)])

    async def silenced_by(self, label: str, value: str) -> Sequence[str]:
        """Return the ids of what silences the alerts with this label."""
        told = [alert for alert in await self._api.alerts() if alert.labels.get(label) == value]
        return [silence for alert in told for silence in alert.silenced_by]

    async def deliveries(self, integration: str, receiver: str) -> Deliveries:
        """Return the attempts of an integration, of that receiver alone where that is counted."""
        text = (await self._request("GET", "/metrics")).text
        sums = {ATTEMPTS: 0.0, FAILURES: 0.0}
        exact = True
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name not in sums or sample.labels.get("integration") != integration:
                    continue
                whose = sample.labels.get("receiver_name")
                exact = exact and whose is not None
                if whose in {None, receiver}:
                    sums[sample.name] += sample.value
        return Deliveries(Attempts(sums[ATTEMPTS], sums[FAILURES]), exact)

    async def _json(self, method: str, path: str, **content: Any) -> Any:
        response = await self._request(method, path, **content)
        try:
            return response.json()
        except ValueError as error:
            raise Unavailable(f"what answers at {response.url} is not Alertmanager") from error

    async def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, **content)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotRunning(f"Alertmanager does not listen at {self._http.base_url}") from error
        except httpx.TransportError as error:
            raise Unavailable(f"Alertmanager did not answer {path}: {error!r}") from error
        if response.is_success:
            return response
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise NotRunning("Alertmanager is still starting")
        raise Refused(f"Alertmanager: {response.text.strip() or response.status_code}")


def parse_version(text: str) -> tuple[int, ...]:
    """Read `0.25.0+ds1`, or what begins like it, as `(0, 25)`; Unavailable where it is none."""
    found = VERSION.search(text)
    if found is None:
        raise Unavailable(f"Alertmanager names no version: {text!r}")
    return tuple(map(int, found.groups()))
