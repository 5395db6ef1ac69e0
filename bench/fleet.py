"""A fleet on one exporter process: CPU and memory, and what dead devices cost the others.

The lab answers for every device. A round asks each device once; what is measured is the CPU time of
the exporter, which is what one core has to give: scrapes every 60 s need less than 60 s of it.
"""

import asyncio
import random
import socket
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench import _peers
from bench._peers import Exporter
from lab import topology
from lab.server import Lab
from lab.topology import Topology

MODULE = "if_mib"
BASE = "127.0.99.0"
PERIOD = 60.0  # seconds between two scrapes of a device
SMALL, LARGE, PACED = 1_000, 10_000, 300  # devices
TURN = 50  # devices that are asked through one process before the next one's turn
BUDGET = 20.0  # seconds a round may take here; a longer one is cut short and said so
AT_ONCE = 8  # scrapes
MEGABYTE = 1_000_000
PACE = 25.0  # scrapes per second where their duration counts: far from what one core can do
HEADERS = {"Accept-Encoding": "gzip", "X-Prometheus-Scrape-Timeout-Seconds": "10"}


@dataclass(frozen=True)
class Round:
    """What one round over a fleet took; so many of its devices were asked."""

    asked: int
    cpu: float
    memory: int


async def main() -> None:
    lab = Lab(Topology(()), snmp_port=0, bulk=topology.bulk(LARGE, BASE))
    with tempfile.TemporaryDirectory() as name:
        async with lab:
            targets = [f"{address}:{lab.port}" for address in lab.addresses.values()]
            print(f"\nA fleet of simulated 48-port switches, {MODULE} in full, one process")
            await scale(Path(name), targets)
            await dead_tenth(Path(name), targets[:PACED])


async def scale(folder: Path, targets: Sequence[str]) -> None:
    """Print what a small and a large fleet cost, each on a process of its own.

    Walks are not remembered: their memory has a bound, which comes on top of what grows.
    """
    head = ("devices", 8), ("asked", 7), ("ms CPU each", 13), ("CPU a round", 13), ("one core", 10)
    print("".join(f"{text:>{width}}" for text, width in (*head, ("RSS", 9))))
    memory = "--snmp.replay-memory=0"
    with _peers.ours(folder, memory) as few, _peers.ours(folder, memory) as many:
        fleets = {SMALL: few, LARGE: many}
        empty = {count: exporter.memory() for count, exporter in fleets.items()}
        first = {count: await asked(fleets[count], targets[:count]) for count in fleets}
        # A second look at some: what was learnt of a device in the first makes it cheaper.
        each = await again(fleets, targets[: min(SMALL, first[LARGE].asked)])
    for count, one in first.items():
        whole, share = each[count] * count, each[count] * count / PERIOD
        rss = empty[count] + (one.memory - empty[count]) / one.asked * count
        print(
            f"{count:8}{one.asked:7}{each[count] * 1e3:13.2f}{whole:11.1f} s{share:10.0%}"
            f"{rss / MEGABYTE:6.0f} MB"
        )
        if one.asked < count:
            print(f"{'':8}extrapolated from {one.asked} devices, all that {BUDGET:.0f} s allowed")
    growth = each[LARGE] / each[SMALL] * LARGE / SMALL
    print(
        f"{LARGE // SMALL} times the devices cost {growth:.1f} times the CPU (target: at most 11)"
    )


async def again(fleets: Mapping[int, Exporter], targets: Sequence[str]) -> dict[int, float]:
    """Return the CPU seconds of a scrape by each, in turns: other work falls on all alike."""
    cpu = dict.fromkeys(fleets, 0.0)
    for start in range(0, len(targets), TURN):
        for count, exporter in fleets.items():
            cpu[count] += (await asked(exporter, targets[start : start + TURN])).cpu
    return {count: spent / len(targets) for count, spent in cpu.items()}


async def dead_tenth(folder: Path, targets: Sequence[str]) -> None:
    """Print how the p99 of the living changes when a tenth of the fleet is dead."""
    seconds: dict[int, list[float]] = {0: [], len(targets) // 10: []}
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent,
        _peers.ours(folder) as exporter,
    ):
        # It takes what comes and never answers: a closed port would say that it is closed.
        silent.bind(("", 0))
        port = silent.getsockname()[1]
        await asked(exporter, targets)
        for dead in 2 * list(seconds):  # in turns, so that other work falls on both alike
            nobody = [f"127.3.{n // 250}.{n % 250 + 1}:{port}" for n in range(dead)]
            seconds[dead] += await paced(exporter, targets[dead:], nobody)
    p99 = [statistics.quantiles(taken, n=100)[-1] for taken in seconds.values()]
    change = p99[1] / p99[0] - 1
    print(
        f"a tenth dead: p99 of the living {p99[0] * 1e3:.0f} -> {p99[1] * 1e3:.0f} ms, "
        f"{change:+.0%} (target: less than 20 %)"
    )


async def asked(exporter: Exporter, targets: Sequence[str]) -> Round:
    """Ask every device once, some at a time, as fast as they answer."""
    seconds: list[float] = []
    waiting = iter(targets)
    before, until = exporter.cpu(), time.monotonic() + BUDGET

    async def work(client: httpx.AsyncClient) -> None:
        for target in waiting:
            seconds.append(await ask(client, exporter, target))
            if time.monotonic() > until:
                return

    async with (
        httpx.AsyncClient(headers=HEADERS, timeout=60) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(AT_ONCE):
            group.create_task(work(client))
    return Round(len(seconds), exporter.cpu() - before, exporter.memory())


async def paced(exporter: Exporter, living: Sequence[str], dead: Sequence[str]) -> list[float]:
    """Return how long the living took, all asked at an even pace with the dead among them."""
    mixed = [(target, True) for target in living] + [(target, False) for target in dead]
    random.Random(1).shuffle(mixed)  # noqa: S311 - the same order every time
    seconds: list[float] = []

    async def one(client: httpx.AsyncClient, target: str, alive: bool) -> None:  # noqa: FBT001
        took = await ask(client, exporter, target)
        if alive:
            seconds.append(took)

    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(headers=HEADERS, timeout=60, limits=limits) as client,
        asyncio.TaskGroup() as group,
    ):
        for target, alive in mixed:
            group.create_task(one(client, target, alive))
            await asyncio.sleep(1 / PACE)
    return seconds


async def ask(client: httpx.AsyncClient, exporter: Exporter, target: str) -> float:
    """Return the seconds of a scrape; that a device does not answer is no error here."""
    started = time.perf_counter()
    await client.get(f"{exporter.url}/snmp", params={"target": target, "module": MODULE})
    return time.perf_counter() - started


if __name__ == "__main__":
    asyncio.run(main())
