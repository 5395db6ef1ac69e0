"""The devices to monitor: a snapshot from the control plane, kept while that is down.

`GET {controlplane}/api/v1/exporter/snapshot` is polled with an ETag, and with the revision that is
here, so that only changes are sent. The last good snapshot is written to disk, encrypted.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from exporter.config import ConfigError
from exporter.inventory.cache import Cache, Token
from exporter.inventory.snapshot import (
    Device,
    Held,
    Mismatch,
    Rule,
    Snapshot,
    host,
    parse,
    read,
)
from exporter.telemetry import Telemetry

if TYPE_CHECKING:
    import httpx  # a quarter of the time it takes to start, and not needed without a control plane

__all__ = ["PATH", "Cache", "Device", "Inventory", "Rule", "Snapshot", "Token", "host", "parse"]

log = logging.getLogger(__name__)

PATH = "/api/v1/exporter/snapshot"
FOLLOW_SECONDS = 1.0  # between two looks at what the leading process has stored


@dataclass(slots=True)
class Inventory:
    """The snapshot in use, and the client that keeps it fresh.

    Of several processes with one cache one leads, and asks the control plane; the others read what
    it stores.
    """

    client: "httpx.AsyncClient"
    telemetry: Telemetry
    refresh: float
    cache: Cache | None = None
    token: Token | None = None
    snapshot: Snapshot | None = None
    leads: bool = True
    # As which the control plane knows this exporter; without one it gets all devices.
    name: str = ""
    _stored: float = field(default=0.0, init=False)
    _etag: str = field(default="", init=False)
    _held: Held | None = field(default=None, init=False, repr=False)
    _unstored: bool = field(default=False, init=False)
    _failing: str = field(default="", init=False)

    @property
    def devices(self) -> Mapping[str, Device]:
        """Return the devices by name; empty before the first snapshot."""
        return self.snapshot.devices if self.snapshot else {}

    def rule(self, alert: str) -> Rule:
        """Return what is known of the rule of this alert; of one that has none, what is usual."""
        return (self.snapshot.alerts.get(alert) if self.snapshot else None) or Rule()

    def restore(self) -> None:
        """Use the snapshot on disk until the control plane answers."""
        if self.cache is None:
            return
        self._stored = self.cache.changed()
        try:
            if (body := self.cache.load()) is not None:
                self._use(read(body))
                log.info("inventory restored from disk", extra={"devices": len(self.devices)})
        except ConfigError as error:
            self._failed("cache", str(error))

    async def poll(self) -> None:
        """Ask the control plane once; whatever goes wrong, the snapshot in use stays.

        Changes that do not fit are no loss: then it is asked for all of it, at once.
        """
        try:
            await self._ask()
        except Mismatch as error:
            self._failed("mismatch", str(error))
            self._held, self._etag = None, ""
            await self._ask()

    async def _ask(self) -> None:
        import httpx  # noqa: PLC0415 - see above

        headers = {"If-None-Match": self._etag} if self._etag else {}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.current()}"
        params = {"exporter": self.name} if self.name else {}
        if self._held is not None:
            params["since"] = self._held.snapshot.revision
        try:
            response = await self.client.get(PATH, params=params, headers=headers)
        except httpx.HTTPError as error:
            self._failed("unreachable", f"{type(error).__name__}: {error}")
            return
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            self._confirmed()
            self._store()
        elif response.status_code != HTTPStatus.OK:
            self._failed("status", f"the control plane answered {response.status_code}")
        else:
            self._received(response)

    async def run(self) -> None:
        """Poll for ever."""
        while True:
            if self.leads:
                await self.poll()
                await asyncio.sleep(self.refresh)
            else:
                self.follow()
                await asyncio.sleep(min(self.refresh, FOLLOW_SECONDS))

    def follow(self) -> None:
        """Use what the leading process has stored since."""
        if self.cache is not None and self.cache.changed() != self._stored:
            self.restore()

    async def close(self) -> None:
        """Give the connection back."""
        await self.client.aclose()

    def _received(self, response: "httpx.Response") -> None:
        try:
            held = read(response.content, self._held)
        except Mismatch:
            raise
        except ConfigError as error:
            self._failed("malformed", str(error))
            return
        self._use(held)
        self._etag = response.headers.get("ETag", "")
        log.info("inventory changed", extra={"devices": len(self.devices)})
        self._confirmed()
        self._unstored = True
        self._store()

    def _store(self) -> None:
        """Write what is not on disk yet; where that fails it is tried again at the next poll."""
        if self.cache is None:
            return
        try:
            if self._unstored and self._held is not None:
                self.cache.store(self._held.content)
            else:
                self.cache.renew()
        except (OSError, ConfigError) as error:
            self._failed("cache", f"cannot write the inventory to disk: {error}")
        else:
            self._unstored = False

    def _use(self, held: Held) -> None:
        self._held, self.snapshot = held, held.snapshot
        self.telemetry.snapshot_devices.set(len(self.devices))

    def _confirmed(self) -> None:
        self._failing = ""
        self.telemetry.snapshot_confirmed.set(time.time())

    def _failed(self, reason: str, detail: str) -> None:
        self.telemetry.snapshot_failures.labels(reason).inc()
        # Once per outage: a control plane that is down for a day is not 17,000 lines.
        if reason != self._failing:
            log.error("inventory not refreshed", extra={"reason": reason, "error": detail})
        self._failing = reason
