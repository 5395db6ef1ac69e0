"""CPU of one scrape: a simulated switch of 48 ports, IF-MIB complete, against snmp_exporter.

Every exporter gets the same columns and answers over HTTP, asked as Prometheus asks, with the
max_repetitions it ships: 25 for the others, 50 for ours until it knows what fits into a datagram.
What is measured is the CPU time of its process, in turns of all: what else the machine does falls
on each alike, and medians of many turns leave out what it did in few of them. Ours comes twice: as
it is, and where it decodes every page.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles

import httpx

from bench import _peers
from bench._peers import Exporter
from exporter.app import scrapes
from lab import topology
from lab.server import Lab
from lab.topology import Topology

SCRAPES = 200
TURNS, EACH = 24, 20  # turns, and the scrapes of one
WARM_UP = 3
MODULE = "if_mib"
BASE = "127.0.97.0"
TARGETS = {"snmp_exporter 0.21": 10, "snmp_exporter (newest)": 6}  # how many times our cost
GZIP_SHARE = 0.1
HEADERS = {
    "plain": {"Accept-Encoding": "identity"},
    "gzip": {"Accept-Encoding": "gzip"},  # what Prometheus sends
}


async def main() -> None:
    print(_peers.interpreter())
    lab = Lab(Topology(()), snmp_port=0, bulk=topology.bulk(1, BASE), bulk_tick=1.0)
    async with lab:
        target = f"{lab.address('bulk0001')}:{lab.port}"
        with tempfile.TemporaryDirectory() as folder, exporters(Path(folder)) as found:
            for kind in HEADERS:
                costs = await measured(found, target, kind)
                report(kind, costs)
            report_gzip(costs[_peers.OUR_NAME].each, await page(found[0], target))
    for name in TARGETS:
        if name not in {exporter.name for exporter in found}:
            print(f"{name}: not installed (make peers)")


@contextmanager
def exporters(folder: Path) -> Iterator[list[Exporter]]:
    """Run ours and the peers there are."""
    modules = {MODULE: _peers.shipped()[MODULE]}
    with ExitStack() as stack:
        found = [stack.enter_context(_peers.ours(folder))]
        decoding = stack.enter_context(_peers.ours(folder, "--snmp.replay-memory=0"))
        found.append(replace(decoding, name=f"{_peers.OUR_NAME} (no replay)"))
        if _peers.debian():
            found.append(stack.enter_context(_peers.of_debian(folder, modules)))
        if _peers.newest():
            found.append(stack.enter_context(_peers.of_today(folder, modules)))
        yield found


@dataclass
class Measured:
    """The CPU seconds of one scrape, turn by turn, and how many samples it has."""

    turns: list[float] = field(default_factory=list)
    samples: int = 0

    @property
    def each(self) -> float:
        """The CPU seconds of one scrape."""
        return median(self.turns)


async def measured(found: list[Exporter], target: str, kind: str) -> dict[str, Measured]:
    """Return what each spent, in turns of all, forth and back."""
    costs = {exporter.name: Measured() for exporter in found}
    for turn in range(TURNS):
        for exporter in found if turn % 2 else reversed(found):
            cost = costs[exporter.name]
            seconds, cost.samples = await measure(exporter, target, kind, scrapes=EACH)
            cost.turns.append(seconds)
    return costs


async def measure(
    exporter: Exporter, target: str, kind: str, scrapes: int = SCRAPES, **more: str
) -> tuple[float, int]:
    """Return the CPU seconds of one scrape, and its samples; `more` are parameters of it."""
    query = {"target": target, "module": MODULE, **more}
    async with httpx.AsyncClient(headers=HEADERS[kind], timeout=60) as client:
        for _ in range(WARM_UP):
            response = await client.get(f"{exporter.url}/snmp", params=query)
            response.raise_for_status()
        before = exporter.cpu()
        for _ in range(scrapes):
            await client.get(f"{exporter.url}/snmp", params=query)
        spent = exporter.cpu() - before
    samples = sum(not line.startswith("#") for line in response.text.splitlines())
    return spent / scrapes, samples


def report(kind: str, costs: dict[str, Measured]) -> None:
    """Print the cost of each, and how many times ours it is: of the turns the middle, and half."""
    ours = costs[_peers.OUR_NAME].turns
    print(f"\nCPU of a scrape of {MODULE}, simulated 48-port switch, {kind} body")
    print(
        f"{'exporter':24}{'scrapes':>9}{'samples':>9}{'ms CPU':>9}{'ratio':>8}{'half':>13}  target"
    )
    for name, cost in costs.items():
        wanted = f"at least {TARGETS[name]}" if name in TARGETS else ""
        ratios = [theirs / own for theirs, own in zip(cost.turns, ours, strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        figures = f"{TURNS * EACH:9}{cost.samples:9}{cost.each * 1e3:9.2f}{middle:8.1f}"
        print(f"{name:24}{figures}{low:7.1f}-{high:.1f}  {wanted}")


async def page(exporter: Exporter, target: str) -> bytes:
    """Return the body of a scrape."""
    query = {"target": target, "module": MODULE}
    async with httpx.AsyncClient(headers=HEADERS["plain"], timeout=60) as client:
        return (await client.get(f"{exporter.url}/snmp", params=query)).content


def report_gzip(scrape: float, body: bytes) -> None:
    """Print what compressing a body costs, of the CPU seconds of a whole scrape with it."""
    before = time.process_time()
    for _ in range(SCRAPES):
        packed = scrapes.gzipped(body)
    each = (time.process_time() - before) / SCRAPES
    print(
        f"\ngzip of {len(body):,} bytes to {len(packed):,}: {each * 1e3:.2f} ms CPU, "
        f"{each / scrape:.1%} of the scrape (target: under {GZIP_SHARE:.0%})"
    )


if __name__ == "__main__":
    asyncio.run(main())
