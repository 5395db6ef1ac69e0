"""Identical scrapes at the same time are one: the second waits for the answer of the first."""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from exporter.errors import ExporterError
from exporter.telemetry import Telemetry

T = TypeVar("T")

GRACE = 0.25  # seconds in which work that ends at its deadline can say why


class HungUp(ExporterError):
    """The client closed the connection before the scrape was done."""


@dataclass(slots=True)
class Flight(Generic[T]):
    """Work under way, and how many wait for it."""

    work: asyncio.Task[T]
    waiting: int = 0


@dataclass(slots=True)
class Flights(Generic[T]):
    """Work under way, by what it is for."""

    telemetry: Telemetry
    flying: dict[Hashable, Flight[T]] = field(default_factory=dict)

    async def join(
        self,
        key: Hashable,
        start: Callable[[], Coroutine[Any, Any, T]],
        deadline: float,
        leaving: asyncio.Future[None],
    ) -> T:
        """Return the result of the work for `key`, begun now unless it is under way.

        Raises HungUp once `leaving` is done, and TimeoutError where there is no result at the
        deadline, on the loop's clock. A caller that goes leaves the others their answer; the last
        one cancels the work.
        """
        if (flight := self.flying.get(key)) is None:
            flight = self.flying[key] = Flight(asyncio.create_task(start()))
            flight.work.add_done_callback(lambda work: self._landed(key, work))
        else:
            self.telemetry.merged.inc()
        flight.waiting += 1
        either: set[asyncio.Future[Any]] = {flight.work, leaving}
        left = deadline - asyncio.get_running_loop().time() + GRACE
        try:
            await asyncio.wait(either, timeout=left, return_when=FIRST_COMPLETED)
            if flight.work.done():
                return flight.work.result()
            if leaving.done():
                raise HungUp
            raise TimeoutError("the scrape that this one was merged with takes longer")
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.work.done():
                self._landed(key, flight.work)
                flight.work.cancel()
                await asyncio.wait({flight.work})
            # The traceback of a failure holds this frame: no circle may keep sockets open.
            del flight, either

    def _landed(self, key: Hashable, work: asyncio.Task[T]) -> None:
        """Let the next one begin anew; nobody may join work that is over or about to end."""
        if (flight := self.flying.get(key)) is not None and flight.work is work:
            del self.flying[key]
