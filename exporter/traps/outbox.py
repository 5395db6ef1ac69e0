"""Events on their way to the control plane: in order, tried again; of too many the oldest goes."""

import asyncio
import json
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
MOST = 16 << 20  # octets of events that wait
BATCH, BATCH_OCTETS = 100, 256 << 10  # events of one request, and their octets
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds after a failure
# What another try does not mend: an event is at fault, or there are too many of them.
REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


@dataclass(slots=True)
class Outbox:
    """Events that wait, as JSON; each has an id, so that one sent twice is one."""

    client: "httpx.AsyncClient"
    token: Token | None
    telemetry: Telemetry
    most: int = MOST
    waiting: deque[bytes] = field(default_factory=deque)
    _octets: int = field(default=0, init=False)
    _there: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    def put(self, event: dict[str, Any]) -> None:
        """Add an event; where too many wait, the oldest are dropped."""
        self.waiting.append(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())
        self._octets += len(self.waiting[-1])
        while self._octets > self.most:
            self._octets -= len(self.waiting.popleft())
            self.telemetry.traps_dropped.labels("queue_full").inc()
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
        taken = await self._sent(self._batch())
        if not self.waiting:
            self._there.clear()
        return taken

    def _batch(self) -> list[bytes]:
        """Return the events to send next: one at least, if any waits."""
        batch: list[bytes] = []
        octets = 0
        for event in self.waiting:
            octets += len(event)
            if batch and (octets > BATCH_OCTETS or len(batch) == BATCH):
                break
            batch.append(event)
        return batch

    async def _sent(self, batch: list[bytes]) -> bool:
        """Send events, in halves where they are refused together; one that is refused is dropped.

        Return False where they shall be tried again.
        """
        if not batch:
            return True
        status = await self._status(batch)
        if status in REFUSED and (half := len(batch) // 2):
            return await self._sent(batch[:half]) and await self._sent(batch[half:])
        if status in REFUSED:
            log.error("event refused", extra={"status": status})
            self.telemetry.traps_dropped.labels("refused").inc()
        elif not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return False
        self._forget(batch)
        return True

    def _forget(self, batch: list[bytes]) -> None:
        """Let go of events that were dealt with; some may have been dropped meanwhile."""
        for event in batch:
            if self.waiting and self.waiting[0] is event:
                self._octets -= len(self.waiting.popleft())

    async def _status(self, batch: list[bytes]) -> int:
        """Return what the control plane answers, 0 where it does not."""
        import httpx  # noqa: PLC0415 - see above

        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.current()}"
        content = b'{"events":[' + b",".join(batch) + b"]}"
        try:
            response = await self.client.post(PATH, content=content, headers=headers)
        except httpx.HTTPError as error:
            log.warning("events not sent", extra={"error": f"{type(error).__name__}: {error}"})
            return 0
        if not response.is_success and response.status_code not in REFUSED:
            log.warning("events not sent", extra={"status": response.status_code})
        return response.status_code
