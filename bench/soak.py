"""Hours in minutes: many scrapes a second, devices coming and going, clients that hang up.

Ends with exit code 1 where file descriptors, tasks or memory of the exporter are not flat.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench import _peers
from bench._peers import Exporter
from lab import topology

BASE = "127.0.98.0"
TIMEOUT = 5  # seconds Prometheus is said to wait
MODULES = ("system",) * 4 + ("if_mib",)
HANG_UPS = 0.02  # share of clients that go away at once
DOWN_FOR = 20.0  # seconds a device is silent
UNSTEADY = 10  # every so many devices one goes down again and again
DOWN_SHARE = 0.5  # of those, at any time
BEHIND = 1.0  # seconds of scrapes that are made up for
SAMPLES = 20  # rows of the table
MORE = 5  # descriptors and tasks that may be there by chance
GROWTH = 1.05  # of memory that is still flat, from the first quarter to the last
DRAIN = TIMEOUT + 3.0  # seconds after which nothing can be under way


@dataclass(frozen=True)
class Reading:
    """What there is of a process: descriptors, tasks, bytes, CPU seconds."""

    at: float
    files: int
    tasks: int
    memory: int
    cpu: float


@dataclass
class Soak:
    """A run: its size, and what it has counted so far."""

    exporter: Exporter
    lab: str
    targets: list[str]
    names: list[str]
    rate: float
    seconds: float
    answers: Counter[str] = field(default_factory=Counter)
    dice: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - no secret

    async def run(self) -> list[Reading]:
        """Return readings: idle before, one for each row under load, and idle after."""
        await self.scrape(0)
        readings = [await self.reading()]
        started = time.monotonic()
        churning = asyncio.create_task(self.churn())
        scrapes: set[asyncio.Task[None]] = set()
        sent = skipped = 0
        while (now := time.monotonic() - started) < self.seconds:
            # A machine that fell behind catches up on a second, not on a flood.
            skipped += max(int((now - BEHIND) * self.rate) - sent - skipped, 0)
            while sent + skipped < now * self.rate:
                task = asyncio.create_task(self.scrape(sent))
                scrapes.add(task)
                task.add_done_callback(scrapes.discard)
                sent += 1
            if now > len(readings) * self.seconds / SAMPLES:
                readings.append(await self.reading())
                self.show(readings, sent)
            await asyncio.sleep(0.01)
        churning.cancel()
        await asyncio.gather(*scrapes)
        await asyncio.sleep(DRAIN)
        readings.append(await self.reading())
        self.show(readings, sent)
        return readings

    async def scrape(self, number: int) -> None:
        """Scrape a device of those that are there now; a new one comes, an old one goes."""
        at = number // 10 + self.dice.randrange(len(self.targets) // 2)
        target, module = self.targets[at % len(self.targets)], MODULES[number % len(MODULES)]
        patient = not number or self.dice.random() >= HANG_UPS
        try:
            status = await self.asked(target, module, patient=patient)
        except OSError as error:
            status = type(error).__name__
        self.answers[status] += 1

    async def asked(self, target: str, module: str, *, patient: bool) -> str:
        """Return the status of a scrape, over a connection of its own."""
        host, port = self.exporter.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(
                f"GET /snmp?target={target}&module={module} HTTP/1.1\r\nHost: x\r\n"
                f"X-Prometheus-Scrape-Timeout-Seconds: {TIMEOUT}\r\n"
                "Accept-Encoding: gzip\r\nConnection: close\r\n\r\n".encode()
            )
            if not patient:
                return "hung up"
            answer = await reader.read(-1)
            return answer[9:12].decode() or "nothing"
        finally:
            writer.close()

    async def churn(self) -> None:
        """Take devices down, each for a while."""
        pause = DOWN_FOR / (len(self.names) * DOWN_SHARE)
        async with httpx.AsyncClient(base_url=self.lab, timeout=60) as client:
            while True:
                path = f"/devices/{self.dice.choice(self.names)}/scenarios/device-down"
                await client.post(path, json={"duration": DOWN_FOR})
                await asyncio.sleep(pause)

    async def reading(self) -> Reading:
        """Return what there is of the exporter now."""
        async with httpx.AsyncClient(timeout=60) as client:
            text = (await client.get(f"{self.exporter.url}/metrics")).text
        [tasks] = [x for x in text.splitlines() if x.startswith("chm_exporter_tasks ")]
        return Reading(
            time.monotonic(),
            len(os.listdir(f"/proc/{self.exporter.pid}/fd")),  # noqa: PTH208 - no file is read
            int(float(tasks.split(" ")[1])),
            self.exporter.memory(),
            self.exporter.cpu(),
        )

    def show(self, readings: list[Reading], sent: int) -> None:
        """Print a row of the table."""
        now, before = readings[-1], readings[-2]
        busy = (now.cpu - before.cpu) / (now.at - before.at)
        told = " ".join(f"{status}:{count}" for status, count in sorted(self.answers.items()))
        print(
            f"{now.at - readings[0].at:7.0f}{sent:9}{now.files:8}{now.tasks:8}"
            f"{now.memory / 1e6:9.1f}{busy:8.0%}  {told}",
            flush=True,
        )


def verdict(readings: list[Reading]) -> list[str]:
    """Return what is not flat."""
    before, after = readings[0], readings[-1]
    problems = []
    if after.files > before.files + MORE:
        problems.append(f"file descriptors went from {before.files} to {after.files}")
    if after.tasks > before.tasks + MORE:
        problems.append(f"tasks went from {before.tasks} to {after.tasks}")
    loaded = [reading.memory for reading in readings[1:-1]]
    quarter = len(loaded) // 4
    early = statistics.median(loaded[quarter : 2 * quarter])
    late = statistics.median(loaded[-quarter:])
    if late > early * GROWTH:
        problems.append(f"memory went from {early / 1e6:.1f} to {late / 1e6:.1f} MB")
    return problems


@contextmanager
def laboratory(devices: int) -> Iterator[tuple[str, int]]:
    """Run a simulated network of its own; yield its API and its UDP port."""
    http, snmp = _peers.free_port(), _peers.free_port()
    command = [sys.executable, "-m", "lab", "serve", "--devices", "none", "--base", BASE]
    command += ["--bulk", str(devices), "--http", f"127.0.0.1:{http}", "--snmp-port", str(snmp)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{http}"
    try:
        for _ in range(200):
            try:
                httpx.get(f"{url}/-/healthy")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, snmp
    finally:
        process.terminate()
        process.wait(10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=200, help="scrapes a second")
    parser.add_argument("--devices", type=int, default=1000)
    given = parser.parse_args()
    found = list(topology.bulk(given.devices, BASE))
    with (
        tempfile.TemporaryDirectory() as folder,
        laboratory(given.devices) as (lab, port),
        _peers.ours(Path(folder)) as exporter,
    ):
        targets = [f"{device.address}:{port}" for device in found]
        # Only some: a simulated device that was down once costs the lab more from then on.
        names = [device.name for device in found][::UNSTEADY]
        print(f"{'seconds':>7}{'scrapes':>9}{'files':>8}{'tasks':>8}{'MB':>9}{'CPU':>8}  answers")
        soak = Soak(exporter, lab, targets, names, given.rate, given.seconds)
        readings = asyncio.run(soak.run())
        text = httpx.get(f"{exporter.url}/metrics").text
    kept = [
        x for x in text.splitlines() if x.startswith(("chm_exporter_circuit", "chm_exporter_r"))
    ]
    print(json.dumps(dict(line.rsplit(" ", 1) for line in kept), indent=1))
    problems = verdict(readings)
    print("\n".join(problems) if problems else "flat: file descriptors, tasks and memory")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
