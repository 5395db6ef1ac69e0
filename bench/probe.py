"""CPU of `/probe`, everything a profile collects, against a plain walk of the same OIDs.

The largest recording of the folders in CHM_RECORDINGS is played by a lab in a process of its own;
without one, the 48-port switch of the lab answers. The plain walk is ours, too, so what the ratio
shows is the cost of turning answers into series.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry

from bench import _peers
from exporter.app import Exporter, create_app
from exporter.config import Auth
from exporter.inventory import Device, Inventory, Snapshot
from exporter.probe import Devices, Explanation, Subject, explained, look
from exporter.probe.walks import roots
from exporter.profiles import loader
from exporter.profiles.loader import Configuration
from exporter.protocols import snmp
from exporter.protocols.snmp import Engines, Limits, Target, Traffic
from exporter.settings import Settings
from exporter.telemetry import Telemetry

TARGET = 2  # times the plain walk that a probe may cost
TURNS, EACH = 20, 5
BASE, SWITCH, PLAYED = "127.0.98.0", "127.0.98.14", "127.0.98.128"  # access1 of the demo
SECONDS = 60.0
IDENTITY = "identity"  # the collector without a module


def largest() -> Path | None:
    """Return the recording with the most bytes, or None where no folder is named."""
    folders = [Path(name) for name in os.environ.get("CHM_RECORDINGS", "").split(":") if name]
    found = [path for folder in folders for path in folder.glob("*.snmprec")]
    return max(found, key=lambda path: path.stat().st_size, default=None)


@contextmanager
def answering(recording: Path | None) -> Iterator[str]:
    """Play a recording, or a switch of the lab, in another process; yield `address:port`."""
    port, http = _peers.free_port(), _peers.free_port()
    command = [sys.executable, "-m", "lab", "serve", f"--snmp-port={port}", f"--base={BASE}"]
    command += [f"--http=127.0.0.1:{http}", "--tick=60"]
    command += [f"--recording={recording}", "--devices=none"] if recording else ["--devices=demo"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{http}/-/healthy")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield f"{PLAYED if recording else SWITCH}:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def explanation(target: str, configuration: Configuration) -> Explanation:
    """Return which subtrees a probe of the target asks for."""
    devices = Devices(Settings(), Telemetry(CollectorRegistry()))
    subject = Subject(target, Target.parse(target), {"lab": Auth()})
    deadline = asyncio.get_running_loop().time() + SECONDS
    async with devices.turn(target, deadline) as state:
        seen = await look(devices, subject, state, configuration, deadline)
    return explained(seen, subject, configuration)


def exporter(target: str, configuration: Configuration, modules: tuple[str, ...]) -> Exporter:
    """Return an exporter whose inventory knows the target as `device`, with modules of its own."""
    telemetry = Telemetry(CollectorRegistry())
    made = Exporter(Settings(), telemetry, configuration, None)
    address, _, port = target.rpartition(":")
    made.inventory = Inventory(httpx.AsyncClient(), telemetry, SECONDS)
    made.inventory.snapshot = Snapshot(
        "1", {"lab": Auth()}, {"device": Device(address, ("lab",), int(port), modules=modules)}
    )
    return made


async def walked(target: str, subtrees: list[str], scalars: list[str], repetitions: int) -> int:
    """Walk subtrees one after the other and get scalars; return how many values came."""
    loop = asyncio.get_running_loop()
    limits = Limits(loop.time() + SECONDS, max_repetitions=repetitions)
    opening = snmp.session(Target.parse(target), Auth(), limits, Traffic(), engines=Engines())
    async with opening as session:
        found = [await session.walk(oid, limits) for oid in subtrees]
        return sum(map(len, (*found, await session.get(scalars, limits))))


def client(
    target: str, configuration: Configuration, modules: tuple[str, ...] = ()
) -> httpx.AsyncClient:
    """Return a client of an exporter that knows the target."""
    headers = {
        "X-Prometheus-Scrape-Timeout-Seconds": str(SECONDS),
        "Accept-Encoding": "identity",
    }
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(exporter(target, configuration, modules))),
        base_url="http://exporter",
        headers=headers,
        timeout=SECONDS,
    )


async def probed(asking: httpx.AsyncClient) -> bytes:
    """Probe once; return the page."""
    response = await asking.get("/probe", params={"target": "device"})
    return response.raise_for_status().content


def samples(page: bytes) -> int:
    """Count the samples of a page."""
    return page.count(b"\n") - page.count(b"\n#")


async def cost(work: Callable[[], Awaitable[object]]) -> float:
    """Return the CPU seconds of this process for one turn of work."""
    before = time.process_time()
    for _ in range(EACH):
        await work()
    return (time.process_time() - before) / EACH


async def main(target: str, name: str) -> None:
    """Measure in turns, so that other work on the machine falls on both alike, and print."""
    configuration = loader.load(())
    told = await explanation(target, configuration)
    asked = [
        each.name
        for each in told.collectors
        if each.needed and (each.walk or each.get) and each.name != IDENTITY
    ]
    scalars = [oid for each in told.collectors if each.needed for oid in each.get]
    modules = [configuration.modules[collector].module for collector in asked]
    subtrees = [".".join(map(str, root)) for root in roots(modules)]
    repetitions = max(each.max_repetitions for each in modules)
    walk = partial(walked, target, subtrees, scalars, repetitions)
    async with client(target, configuration) as asking:
        probe = partial(probed, asking)
        page, values = await probe(), await walk()
        costs = [(await cost(probe), await cost(walk)) for _ in range(TURNS)]
    # The cheapest turn is the one that other work on the machine disturbed least.
    ours, plain = map(min, zip(*costs, strict=True))
    print(f"\n{_peers.interpreter()}")
    print(f"CPU of /probe of {name}, profile {told.profile}")
    print(f"{'plain walk':12}{values:7} values {plain * 1e3:9.2f} ms")
    print(f"{'/probe':12}{samples(page):7} samples{ours * 1e3:9.2f} ms")
    print(f"ratio {ours / plain:.2f}, target at most {TARGET}")


def run() -> None:
    """Play the largest recording, or the lab's switch, and measure."""
    recording = largest()
    with answering(recording) as target:
        asyncio.run(main(target, recording.name if recording else "a 48-port switch of the lab"))


if __name__ == "__main__":
    run()
