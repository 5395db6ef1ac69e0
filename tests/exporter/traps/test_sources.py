"""Which devices an address is, while name servers answer, are slow, or do not."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from exporter.cli import server
from exporter.inventory import Device, Inventory, Snapshot
from exporter.telemetry import Telemetry
from exporter.traps import Sources, sources
from tests.exporter.serving import made, with_device

SLOW = "slow.example"


@dataclass
class Names:
    """A resolver: names with their addresses, or what looking them up fails with."""

    known: dict[str, str | int] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    released: threading.Event = field(default_factory=threading.Event)

    def look_up(self, host: str, port: int, *_: Any) -> list[Any]:
        """Answer as socket.getaddrinfo; the slow name when it is released."""
        self.asked[host] += 1
        if host == SLOW:
            assert self.released.wait(30)
        found = self.known.get(host, socket.EAI_NONAME)
        if isinstance(found, int):
            raise socket.gaierror(found, "no address")
        return [(socket.AF_INET, socket.SOCK_DGRAM, 0, "", (found, port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    there = Names({SLOW: "127.0.0.9"})
    monkeypatch.setattr(socket, "getaddrinfo", there.look_up)
    yield there
    there.released.set()


@asynccontextmanager
async def following(telemetry: Telemetry, *hosts: str) -> AsyncIterator[Sources]:
    """Look up names of devices, each of which is called as its address."""
    async with httpx.AsyncClient() as client:
        inventory = Inventory(client, telemetry, 5)
        has(inventory, *hosts)
        there = Sources(inventory, patience=0.05)
        running = asyncio.create_task(there.run())
        yield there
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def has(inventory: Inventory, *hosts: str) -> None:
    """Have the inventory hold these devices."""
    inventory.snapshot = Snapshot("1", {}, {host: Device(host, ()) for host in hosts})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_start(tmp_path: Path, names: Names) -> None:
    """Traps are received from the start, however long a name server takes for some device."""
    exporter = with_device(made(tmp_path), 161)
    inventory = exporter.inventory
    assert inventory is not None
    assert inventory.snapshot is not None
    devices = {**inventory.devices, "named": Device(SLOW, ())}
    inventory.snapshot = replace(inventory.snapshot, devices=devices)
    traps = server.traps(exporter, [])
    assert traps is not None

    async with asyncio.timeout(20), traps.open():
        assert traps.receiver.sources.names("127.0.0.1") == ("edge1",)
        names.released.set()
        await until(lambda: traps.receiver.sources.names("127.0.0.9") == ("named",))
    await inventory.close()


async def test_each_name_once(names: Names, telemetry: Telemetry) -> None:
    """Of another inventory only those names are looked up that are new; addresses never."""
    names.known |= {"a.example": "127.0.0.2", "b.example": "127.0.0.2", "c.example": "127.0.0.3"}
    async with following(telemetry, "::ffff:127.0.0.2", "a.example", "b.example") as there:
        await until(lambda: len(there.names("127.0.0.2")) == 3)
        has(there.inventory, "127.0.0.1", "a.example", "c.example")
        assert there.names("127.0.0.1") == ("127.0.0.1",)
        assert there.names("127.0.0.2") == ("a.example",)
        await until(lambda: there.names("127.0.0.3") == ("c.example",))

    assert names.asked == Counter(["a.example", "b.example", "c.example"])


async def test_a_name_without_an_answer(names: Names, telemetry: Telemetry) -> None:
    """It holds up no other name for longer than the patience for one."""
    names.known |= {"a.example": "127.0.0.2"}
    async with following(telemetry, SLOW) as there:
        await until(lambda: bool(names.asked[SLOW]))
        has(there.inventory, SLOW, "a.example")
        await until(lambda: there.names("127.0.0.2") == ("a.example",))
    names.released.set()


async def test_no_name_server(
    names: Names, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While no name server answers a name stands for the address it had, until it has none."""
    monkeypatch.setattr(sources, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(sources, "FAILED_SECONDS", 0.0)
    names.known["a.example"] = "127.0.0.2"
    async with following(telemetry, "a.example") as there:
        await until(lambda: there.names("127.0.0.2") == ("a.example",))
        names.known["a.example"] = socket.EAI_AGAIN
        before = names.asked["a.example"]
        await until(lambda: names.asked["a.example"] > before + 2)
        assert there.names("127.0.0.2") == ("a.example",)
        names.known["a.example"] = socket.EAI_NONAME
        await until(lambda: not there.names("127.0.0.2"))
