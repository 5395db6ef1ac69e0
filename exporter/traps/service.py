"""The trap receiver as one thing: its sockets, and all that runs beside them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from exporter.traps.desk import Desk
from exporter.traps.receiver import Receiver


@dataclass(slots=True)
class Traps:
    """Receives on sockets that are bound already, as long as it is open."""

    sockets: Sequence[socket.socket]
    receiver: Receiver
    desk: Desk

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Receive for the length of a block."""
        loop = asyncio.get_running_loop()
        parts = (self.receiver.sources, self.desk.outbox, self.desk.alerts)
        running = [asyncio.create_task(part.run()) for part in parts if part is not None]
        transports = [
            (await loop.create_datagram_endpoint(lambda: self.receiver, sock=each))[0]
            for each in self.sockets
        ]
        try:
            yield
        finally:
            for transport in transports:
                transport.close()
            await self.desk.close()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            if self.desk.alerts is not None:
                await self.desk.alerts.close()
