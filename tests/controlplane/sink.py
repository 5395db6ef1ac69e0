"""A receiver of Alertmanager's webhooks on loopback, which keeps what it was told and when."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Told:
    """An alert of a webhook, by which receiver, and when it came."""

    receiver: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    received_at: datetime


@dataclass
class Sink:
    """What was told, in order."""

    url: str = ""
    told: list[Told] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["Sink"]:
        """Listen for as long as the context lasts."""
        sink = cls()
        server = await asyncio.start_server(sink._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sink.url = f"http://127.0.0.1:{port}/"
        try:
            yield sink
        finally:
            server.close()

    def devices(self) -> set[str]:
        """Give the devices that were told of."""
        return {told.labels.get("device", "") for told in self.told}

    async def wait_for(self, device: str, **labels: str) -> Told:
        """Give the first that was told of a device, with these labels; fail after a minute."""
        async with asyncio.timeout(60):
            while True:
                for told in self.told:
                    if told.labels.get("device") == device and labels.items() <= (
                        told.labels.items()
                    ):
                        return told
                await asyncio.sleep(0.05)

    async def wait_for_end(self, device: str) -> None:
        """Return once it was told that something of a device is over; fail after a minute."""
        async with asyncio.timeout(60):
            while not any(
                (told.labels.get("device"), told.status) == (device, "resolved")
                for told in self.told
            ):
                await asyncio.sleep(0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        body: dict[str, Any] = json.loads(await reader.readexactly(length))
        for alert in body["alerts"]:
            self.told.append(
                Told(
                    body["receiver"],
                    alert["status"],
                    alert["labels"],
                    alert["annotations"],
                    datetime.now(UTC),
                )
            )
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
