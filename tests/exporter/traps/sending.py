"""A receiver of traps in this process, and net-snmp's `snmptrap`, which sends to it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from exporter.config import Auth
from exporter.inventory import Device, Inventory, Snapshot
from exporter.protocols.snmp.notifications import Opener, engine_of
from exporter.telemetry import Telemetry
from exporter.traps import Receiver, Sources, Storms
from exporter.traps.receiver import Arrival

LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
COMMUNITY = Auth(community="seKret")
USER = Auth(
    version=3,
    username="ann",
    security_level="authPriv",
    auth_protocol="SHA",
    password="correct horse",
    priv_protocol="AES",
    priv_password="battery staple",
)
V3 = (
    *("-v", "3", "-u", "ann", "-l", "authPriv", "-a", "SHA", "-A", "correct horse"),
    *("-x", "AES", "-X", "battery staple"),
)
SENDER = ("-e", "0x8000000001020304")


@dataclass
class Receiving:
    """Where to send to, what arrived, and the counters."""

    port: int
    receiver: Receiver
    telemetry: Telemetry
    arrived: list[Arrival] = field(default_factory=list)

    def counted(self, name: str, **labels: str) -> float:
        """Give a counter, 0 where it has no such labels yet."""
        return self.telemetry.registry.get_sample_value(name, labels) or 0

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something is so, or fail."""
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)

    async def send(self, *arguments: str, succeeds: bool = True) -> None:
        """Run snmptrap to the end; its words are the failure where it should succeed."""
        await sent(self.port, *arguments, succeeds=succeeds)


async def sent(port: int, *arguments: str, succeeds: bool = True) -> None:
    """Run snmptrap with options, what it shall send behind `--`."""
    at = arguments.index("--")
    process = await asyncio.create_subprocess_exec(
        "snmptrap",
        *("-m", "", "-M", "/nonexistent", "-r", "1", "-t", "3"),
        *(*arguments[:at], f"127.0.0.1:{port}", *arguments[at + 1 :]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            "SNMP_PERSISTENT_DIR": "/nonexistent",
            "SNMPCONFPATH": "/nonexistent",
            "PATH": "/usr/bin",
        },
    )
    said, _ = await process.communicate()
    assert (process.returncode == 0) is succeeds, said.decode()


@asynccontextmanager
async def receiving(
    devices: Mapping[str, Device],
    auths: Mapping[str, Auth],
    *,
    rate: float = 10,
    accept_unknown: bool = False,
) -> AsyncIterator[Receiving]:
    """Receive on a free port of 127.0.0.1 what these devices send."""
    telemetry = Telemetry(CollectorRegistry())
    async with httpx.AsyncClient() as client:
        known = Inventory(client, telemetry, 5)
        known.snapshot = Snapshot("1", dict(auths), dict(devices))
        arrived: list[Arrival] = []
        receiver = Receiver(
            Opener(engine_of("test")),
            known,
            Sources(known),
            Storms(rate),
            telemetry,
            arrived.append,
            accept_unknown,
        )
        loop = asyncio.get_running_loop()
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            transport, _ = await loop.create_datagram_endpoint(lambda: receiver, sock=sock.dup())
            yield Receiving(sock.getsockname()[1], receiver, telemetry, arrived)
            transport.close()
