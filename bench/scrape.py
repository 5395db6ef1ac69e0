"""CPU of one scrape: a simulated switch of 48 ports, IF-MIB complete, against snmp_exporter.

Every exporter gets the same module and answers over HTTP, asked as Prometheus asks. What is
measured is the CPU time of its process, so other work on the machine hardly matters.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from bench import _peers
from bench._peers import Exporter
from lab import topology
from lab.server import Lab
from lab.topology import Topology

SCRAPES = 200
WARM_UP = 20
MODULE = "if_mib"
BASE = "127.0.97.0"
TARGETS = {"snmp_exporter 0.21": 10, "snmp_exporter (newest)": 6}  # how many times our cost
HEADERS = {
    "plain": {"Accept-Encoding": "identity"},
    "gzip": {"Accept-Encoding": "gzip"},  # what Prometheus sends
}


async def main() -> None:
    lab = Lab(Topology(()), snmp_port=0, bulk=topology.bulk(1, BASE), bulk_tick=1.0)
    async with lab:
        target = f"{lab.address('bulk0001')}:{lab.port}"
        with tempfile.TemporaryDirectory() as folder, exporters(Path(folder)) as found:
            measured = {
                (exporter.name, kind): await measure(exporter, target, kind)
                for kind in HEADERS
                for exporter in found
            }
    report(measured)


@contextmanager
def exporters(folder: Path) -> Iterator[list[Exporter]]:
    """Run ours and the peers there are."""
    modules = {MODULE: _peers.shipped()[MODULE]}
    with ExitStack() as stack:
        found = [stack.enter_context(_peers.ours(folder))]
        if _peers.debian():
            found.append(stack.enter_context(_peers.of_debian(folder, modules)))
        if _peers.newest():
            found.append(stack.enter_context(_peers.of_today(folder, modules)))
        yield found


async def measure(exporter: Exporter, target: str, kind: str, **more: str) -> tuple[float, int]:
    """Return the CPU seconds of one scrape, and its samples; `more` are parameters of it."""
    query = {"target": target, "module": MODULE, **more}
    async with httpx.AsyncClient(headers=HEADERS[kind], timeout=60) as client:
        for _ in range(WARM_UP):
            response = await client.get(f"{exporter.url}/snmp", params=query)
            response.raise_for_status()
        before = exporter.cpu()
        for _ in range(SCRAPES):
            await client.get(f"{exporter.url}/snmp", params=query)
        spent = exporter.cpu() - before
    samples = sum(not line.startswith("#") for line in response.text.splitlines())
    return spent / SCRAPES, samples


def report(measured: dict[tuple[str, str], tuple[float, int]]) -> None:
    print(f"\nCPU of a scrape of {MODULE}, simulated 48-port switch, {SCRAPES} scrapes each")
    print(f"{'exporter':24}{'body':>7}{'samples':>9}{'ms CPU':>9}{'ratio':>8}  target")
    for (name, kind), (seconds, samples) in measured.items():
        ratio = seconds / measured["chm-exporter", kind][0]
        wanted = f"at least {TARGETS[name]}" if name in TARGETS else ""
        print(f"{name:24}{kind:>7}{samples:9}{seconds * 1e3:9.2f}{ratio:8.1f}  {wanted}")
    for name in TARGETS:
        if (name, "plain") not in measured:
            print(f"{name}: not installed (make peers)")


if __name__ == "__main__":
    asyncio.run(main())
