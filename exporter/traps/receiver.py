"""The receiver: a datagram in, an arrival on, and an answer where it was an inform."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

from exporter.config import Auth
from exporter.inventory import Inventory
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.notifications import Notification, Opened, Opener, Refused
from exporter.telemetry import Telemetry
from exporter.traps.sources import Sources, canonical
from exporter.traps.storms import Storms

log = logging.getLogger(__name__)

TOGETHER = 1000.0  # traps a second of all sources
EVERYBODY = None  # the source of all of them
AGAIN_SECONDS = 60.0  # between two lines in the log about one source


@dataclass(frozen=True, slots=True)
class Arrival:
    """A notification, the device that it is from (`""` is no known one), and its address."""

    device: str
    source: str
    notification: Notification


@dataclass(slots=True)
class Receiver(asyncio.DatagramProtocol):
    """Takes what devices send; of sources that are no device only where `accept_unknown` says so.

    What is not taken is counted by its reason, and written down once a minute for each source.
    """

    opener: Opener
    inventory: Inventory
    sources: Sources
    storms: Storms
    telemetry: Telemetry
    deliver: Callable[[Arrival], None]
    accept_unknown: bool = False
    together: Storms = field(default_factory=lambda: Storms(TOGETHER))
    lines: Storms = field(default_factory=lambda: Storms(1 / AGAIN_SECONDS))
    _transport: asyncio.DatagramTransport | None = field(default=None, init=False, repr=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are sent by."""
        self._transport = cast("asyncio.DatagramTransport", transport)  # that of uvloop is none

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take a datagram; whatever is in it, it is a trap or a count."""
        source = canonical(addr[0])
        try:
            arrival = self._taken(data, source, addr)
        except Refused as refused:
            self._dropped(refused.reason, source)
        except Malformed as error:
            self._dropped("malformed", source, str(error))
        else:
            if arrival is not None:
                self.deliver(arrival)

    def error_received(self, exc: Exception) -> None:
        """Count an answer that did not reach its sender."""
        log.info("answer to an inform not delivered", extra={"error": str(exc)})

    def _taken(self, data: bytes, source: str, addr: tuple[str, int]) -> Arrival | None:
        names = self.sources.names(source)
        if not names and not self.accept_unknown:
            raise Refused("unknown_source")
        if not self.storms.take(source) or not self.together.take(EVERYBODY):
            raise Refused("storm")
        device, opened = self._opened(data, names)
        # The notification first: who is told that it came shall not find that it got lost.
        if opened.answer and self._transport is not None:
            self._transport.sendto(opened.answer, addr)
        if opened.notification is None:
            return None
        return Arrival(device, source, opened.notification)

    def _opened(self, data: bytes, names: tuple[str, ...]) -> tuple[str, Opened]:
        """Return whose datagram it is, and what it says.

        Of devices behind one address, it is the one whose auth it shows.
        """
        if not names:
            return "", self.opener.open(data, (), anybody=True)
        found: list[tuple[str, Opened]] = []
        refusals: list[Refused] = []
        for name in names:
            try:
                found.append((name, self.opener.open(data, self._auths(name), name)))
            except Refused as refused:
                refusals.append(refused)
        if not found:
            raise refusals[-1]
        if len(found) > 1 and found[0][1].notification is not None:
            raise Refused("ambiguous_source")
        return found[0]

    def _auths(self, name: str) -> Iterator[Auth]:
        snapshot = self.inventory.snapshot
        if snapshot is not None:
            yield from (snapshot.auths[auth] for auth in snapshot.devices[name].auths)

    def _dropped(self, reason: str, source: str, detail: str = "") -> None:
        self.telemetry.traps_dropped.labels(reason).inc()
        if self.lines.take(source):
            extra = {"source": source, "reason": reason, "error": detail}
            log.warning("trap dropped", extra=extra)
