"""Events on their way to the control plane: in order, tried again; of too many the oldest goes."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from exporter.inventory import Token
from exporter.telemetry import Telemetry

if TYPE_CHECKING:
    import httpx  # slow to import, and not needed without a control plane

log = logging.getLogger(__name__)

PATH = "/api/v1/exporter/traps"
MOST = 10_000  # events that wait
BATCH = 100  # of one request
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds after a failure
# What another try does not mend: the batch is at fault.
HOPELESS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


@dataclass(slots=True)
class Outbox:
    """Events that wait; each has an id, so that one sent twice is one."""

    client: "httpx.AsyncClient"
    token: Token | None
    telemetry: Telemetry
    waiting: deque[dict[str, Any]] = field(default_factory=deque)
    _there: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    def put(self, event: dict[str, Any]) -> None:
        """Add an event; where too many wait, the oldest is dropped."""
        if len(self.waiting) >= MOST:
            self.waiting.popleft()
            self.telemetry.traps_dropped.labels("queue_full").inc()
        self.waiting.append(event)
        self._there.set()

    async def run(self) -> None:
        """Send what waits, for ever."""
        pause = FIRST_PAUSE
        while True:
            await self._there.wait()
            if await self.send():
                pause = FIRST_PAUSE
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def send(self) -> bool:
        """Send one batch; return whether the control plane has taken it, or never will."""
        batch = [self.waiting[at] for at in range(min(BATCH, len(self.waiting)))]
        if batch and not await self._sent(batch):
            return False
        sent = {event["id"] for event in batch}
        # Some of them may have been dropped meanwhile.
        while self.waiting and self.waiting[0]["id"] in sent:
            self.waiting.popleft()
        if not self.waiting:
            self._there.clear()
        return True

    async def _sent(self, batch: list[dict[str, Any]]) -> bool:
        import httpx  # noqa: PLC0415 - see above

        headers = {"Authorization": f"Bearer {self.token.current()}"} if self.token else {}
        try:
            response = await self.client.post(PATH, json={"events": batch}, headers=headers)
        except httpx.HTTPError as error:
            log.warning("events not sent", extra={"error": f"{type(error).__name__}: {error}"})
            return False
        if response.status_code in HOPELESS:
            log.error("events refused", extra={"status": response.status_code})
            self.telemetry.traps_dropped.labels("refused").inc(len(batch))
            return True
        if not response.is_success:
            log.warning("events not sent", extra={"status": response.status_code})
        return response.is_success
