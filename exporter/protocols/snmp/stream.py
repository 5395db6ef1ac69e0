"""Page after page of a walk, asked for from the reader's callback while all goes well.

No task wakes up between two pages, which is what makes long walks cheap. Whatever does not go well
(silence, a refusal, a closed port) ends the stream, and is left to those who look closer.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from exporter.errors import ProtocolError
from exporter.protocols.snmp.header import Oversize
from exporter.protocols.snmp.limits import Limits, Traffic
from exporter.protocols.snmp.relay import Refused

T = TypeVar("T")


class End(Enum):
    """How a stream ended."""

    COMPLETE = "the walk is over"
    SILENCE = "no answer in time"
    TROUBLE = "the agent, or the network, refused the request"


@dataclass(slots=True)
class Stream(Generic[T]):
    """Asks with `ask`, reads with `read`, and gives each answer to `take`, which says when to end.

    `read` returns None for a datagram that was no answer.
    """

    ask: Callable[[], None]
    read: Callable[[], T | None]
    take: Callable[[T], bool]
    limits: Limits
    traffic: Traffic
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _end: "asyncio.Future[End]" = field(init=False)
    _sent: float = field(default=0.0, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._end = self._loop.create_future()

    async def run(self) -> End:
        """Return how it ended; raise what `take` raises."""
        try:
            self._next()
        except OSError:
            return End.TROUBLE
        self._overdue()
        try:
            return await self._end
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def arrived(self) -> None:
        """Take what is there to be read, and ask for more."""
        if self._end.done():
            return
        try:
            answer = self.read()
            if answer is None:
                return
            self.traffic.replies += 1
            self.traffic.waits.append(time.perf_counter() - self._sent)
            if self.take(answer):
                self._end.set_result(End.COMPLETE)
            else:
                self._next()
        except ProtocolError as error:
            self._end.set_exception(error)
        except (Oversize, Refused, OSError):
            self._end.set_result(End.TROUBLE)

    def _next(self) -> None:
        self._sent = time.perf_counter()
        self.traffic.packets += 1
        self.ask()

    def _overdue(self) -> None:
        """End the stream where it is time; a timer set for an older page is set anew."""
        if self._end.done():
            return
        now = self._loop.time()
        left = self.limits.timeout - (time.perf_counter() - self._sent)
        left = min(left, self.limits.deadline - now)
        if left > 0:
            self._timer = self._loop.call_at(now + left, self._overdue)
        else:
            self._end.set_result(End.SILENCE)
