"""What learning the interfaces of ten thousand devices takes: 240,000, a hundred devices at a time.

In one process on a PostgreSQL of its own. Prometheus is played here, in the size its answers have:
what is measured is reading them, comparing, and writing. `python -m bench.lists interfaces`
measures the lists.
"""

import asyncio
import json
import re
import resource
import time
from collections.abc import Iterator
from urllib.parse import parse_qs

import httpx
from sqlalchemy import func, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import select

from bench._installation import migrated
from bench.imports import DEVICES, inventory
from controlplane import database
from controlplane.audit import session as audited
from controlplane.auth import keys
from controlplane.auth.actor import shell
from controlplane.clients.prometheus import Prometheus
from controlplane.devices.addresses import Reach
from controlplane.devices.interfaces.learning import InterfaceLearner
from controlplane.devices.interfaces.models import Interface
from controlplane.settings import Settings
from controlplane.transfer import service
from controlplane.transfer.schemas import ImportQuery
from controlplane.transfer.sources.draft import Given
from controlplane.vault import Vault, ring

PORTS = 24  # of a device
EVERY = 300.0  # seconds between two looks


class Played:
    """A Prometheus that tells of every device that it is asked for."""

    def __init__(self) -> None:
        self.down = 0  # in each hundred, how many ports are down
        self.bytes = 0
        self.seconds = 0.0  # of CPU that playing took

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer the query of the learner."""
        began = time.process_time()
        (query,) = parse_qs(request.content.decode())["query"]
        (pattern,) = set(re.findall(r'device=~("(?:[^"\\]|\\.)*")', query))
        names = json.loads(pattern).replace("\\", "").split("|")
        result = [series for name in names for series in self._device(name)]
        data = {"resultType": "vector", "result": result}
        content = json.dumps({"status": "success", "data": data}).encode()
        self.bytes += len(content)
        self.seconds += time.process_time() - began
        return httpx.Response(200, content=content)

    def _device(self, name: str) -> Iterator[dict[str, object]]:
        number = int(name.rpartition("-")[2])
        for index in range(1, PORTS + 1):
            port = f"GigabitEthernet1/0/{index}"
            labels = {
                "device": name,
                "ifIndex": str(index),
                "ifName": f"Gi1/0/{index}",
                "ifDescr": port,
                "ifAlias": f"desk {number}-{index}",
            }
            down = (number + index) % 100 < self.down
            for metric, value, more in (
                ("ifAdminStatus", 1, {}),
                ("ifOperStatus", 2 if down else 1, {}),
                ("ifHighSpeed", 1000, {}),
                ("ifSpeed", 1_000_000_000, {}),
                ("ifType_info", 1, {"ifType": "ethernetCsmacd"}),
                ("ifPhysAddress", 1, {"ifPhysAddress": f"00:00:00:{number:06X}:{index:02X}"}),
            ):
                yield _sample(value, {"__name__": metric, **labels, **more})
        yield _sample(1, {"__name__": "chm_collector_success", "device": name})


def _sample(value: int, labels: dict[str, str]) -> dict[str, object]:
    return {"metric": labels, "value": [1_750_000_000, str(value)]}


async def measure(settings: Settings) -> None:
    """Learn for the first time, as before, with changes, and after an hour."""
    engine = database.connect(settings)
    sessions = audited.sessions(engine, keys.load(settings.secrets / "audit.key"))
    vault, reach = Vault(ring.from_settings(settings)), Reach.of(settings)
    async with sessions.begin() as session:
        await service.load(session, shell(), vault, reach, Given(inventory()), ImportQuery())
    played = Played()
    http = httpx.AsyncClient(
        transport=httpx.MockTransport(played.answer), base_url="http://prometheus.invalid"
    )
    async with Prometheus(http) as prometheus:
        learner = InterfaceLearner(sessions, prometheus)
        await _look(learner, "all of them for the first time", played)
        await _look(learner, "nothing has changed", played)
        played.down = 1
        await _look(learner, "one of a hundred went down", played)
        await _backdate(sessions)
        await _look(learner, "an hour later: all confirmed", played)
    async with sessions() as session:
        count = await session.scalar(select(func.count()).select_from(Interface))
        size = await session.scalar(text("SELECT pg_total_relation_size('interfaces')"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} interfaces, {(size or 0) / 2**20:.0f} MiB with indexes, {peak:.0f} MiB of memory"
    )
    await engine.dispose()


async def _look(learner: InterfaceLearner, what: str, played: Played) -> None:
    played.bytes, played.seconds = 0, 0.0
    started, busy = time.perf_counter(), time.process_time()
    await learner.learn()
    took, busy = time.perf_counter() - started, time.process_time() - busy - played.seconds
    print(f"{what:34}{took:7.1f} s, {busy:5.1f} s of CPU for {played.bytes >> 20} MiB", flush=True)


async def _backdate(sessions: async_sessionmaker[AsyncSession]) -> None:
    async with sessions.begin() as session:
        hour = "UPDATE interfaces SET last_seen = last_seen - interval '1 hour'"
        await session.execute(text(hour))


if __name__ == "__main__":
    print(f"{DEVICES} devices of {PORTS} interfaces; looked at every {EVERY:g} s")
    with migrated() as installed:
        asyncio.run(measure(installed))
