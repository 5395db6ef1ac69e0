"""What the whole rule set costs a real Prometheus on one core, with ten thousand devices.

The rules, Prometheus' configuration, its targets and the intent are what a control plane with that
inventory gives out; devices tell what the lab's tell through our exporter (`_sites`), of that what
rules read, and at first the hour before, too. Prometheus runs on one CPU and scrapes meanwhile.
What its evaluations take is what it says itself, by the clock: of several that run at once each
counts the time of all. Beside it stands their CPU. The bound of both is a third of their intervals.

Ends with exit code 1 where the bound is missed, or any rule fails. Ten thousand devices are more
than many a machine has memory for: fewer (`--devices`) are measured, and the rest is extrapolated.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from bench import _peers, _sites
from bench._evaluations import BOUND, Measured, verdict
from bench._installation import running
from bench._peers import Exporter
from bench._sites import Pages, Series
from bench._stack import Feed, Stack, prepared
from controlplane.provisioning import configuration
from controlplane.stack import services

DEVICES = 10_000
EVALUATIONS = 3  # of each group, after the first, which makes its series
FREQUENT = 60.0  # seconds; groups that run more seldom do so here, and are judged by their own
ASKED = 5.0  # seconds between two looks at what evaluations took, which cost CPU themselves
IDLE = 60.0  # seconds in which Prometheus only scrapes, to know what that costs
PATIENCE = 600.0  # seconds, for each of: all devices are scraped, all rules are measured
MEMORY = 4 << 20  # bytes of a device, garbage included, in a Prometheus that runs the rules
NANO = 1e9
# An hour ago would be too old for a Prometheus that keeps two hours in memory, as it does.
KEEP = ("--storage.tsdb.min-block-duration=6h", "--storage.tsdb.max-block-duration=6h")


@dataclass(frozen=True)
class Prometheus(Exporter):
    """A Prometheus that runs."""

    def waited(self) -> float:
        """Return the seconds so far for which its threads were ready and others had the CPU."""
        stats = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(path.read_text().split()[1]) for path in stats) / NANO

    def ready(self) -> bool:
        """Return whether it answers."""
        try:
            return httpx.get(f"{self.url}/-/ready").is_success
        except httpx.TransportError:
            return False

    def get(self, path: str, **params: str) -> Any:
        """Ask its API."""
        return httpx.get(f"{self.url}{path}", params=params, timeout=60).raise_for_status().json()

    def number(self, promql: str) -> float:
        """Return the value of an expression that has one, 0 where it has none."""
        result = self.get("/api/v1/query", query=promql)["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0


@contextmanager
def prometheus(stack: Stack, cpu: int) -> Iterator[Prometheus]:
    """Run Prometheus as the stack does, on one CPU, without rules as yet."""
    settings = stack.settings
    folder = settings.prometheus_folder
    settings.token_file("prometheus").parent.mkdir(parents=True)
    settings.token_file("prometheus").write_text("bench")
    (folder / "rules.d" / "current").mkdir(parents=True)
    (folder / "prometheus.yml").write_text(configuration.prometheus(settings))
    made = services.prometheus(settings)
    command = ("taskset", "-c", str(cpu), *made.argv, *KEEP)
    environment = {**os.environ, **made.environment, "GOMAXPROCS": "1"}
    with running(command, signal.SIGTERM, env=environment) as process:
        server = Prometheus("prometheus", settings.prometheus_url, process.pid)
        until(server.ready, "Prometheus runs", process.poll)
        yield server


def until(
    done: Callable[[], bool],
    what: str,
    ended: Callable[[], object] = lambda: None,
    every: float = 1.0,
) -> None:
    """Wait until something is done; fail where it takes too long, or has ended."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline or ended() is not None:
            raise SystemExit(f"not so within {PATIENCE:g} s: {what}")
        time.sleep(every)


def deploy(stack: Stack, server: Prometheus) -> None:
    """Put the rules in force; groups that run seldom run more often here."""
    for name, text in stack.rules.items():
        tree = yaml.safe_load(text)
        for group in tree["groups"]:
            if seconds(group.get("interval", "0s")) > FREQUENT:
                group["interval"] = f"{FREQUENT:g}s"
        path = stack.settings.prometheus_folder / "rules.d" / "current" / name
        path.write_text(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
    httpx.post(f"{server.url}/-/reload", timeout=60).raise_for_status()


def seconds(duration: str) -> float:
    """Read a duration as the rules write it.

    >>> seconds("1500ms")
    1.5
    """
    number = float(duration.rstrip("ms"))
    return number / 1000 if duration.endswith("ms") else number


def measure(devices: int, told: Mapping[str, list[Series]], cpu: int) -> Measured:
    """Run the rules over so many devices; print what they took."""
    sites = devices // _sites.SITE
    with tempfile.TemporaryDirectory(prefix="chm-bench-") as name:
        stack = prepared(Path(name), sites)
        pages = Pages(told, _sites.reach(stack.expressions()), time.time())
        feed = Feed(stack, pages)
        intervals = {
            group["name"]: seconds(group["interval"])
            for group in stack.groups()
            if "interval" in group
        }
        measured = Measured(sites * _sites.SITE, intervals)
        with feed.serving(), prometheus(stack, cpu) as server:
            print(f"\n{measured.devices} devices, {pages.samples('access-01')} series of an access")
            print(f"switch, {_sites.PORTS} ports each; Prometheus on CPU {cpu} alone", flush=True)
            scraped(feed, server, measured.devices)
            evaluate(stack, server, measured)
            return measured


def scraped(feed: Feed, server: Prometheus, devices: int) -> None:
    """Have all devices scraped."""
    began = time.monotonic()
    until(lambda: len(feed.asked) == devices, "every device is scraped")
    until(
        lambda: server.number('count(up{job="chm-devices"})') == devices,
        "every device has its past",
    )
    print(f"all scraped, with an hour of the past, in {time.monotonic() - began:.0f} s")


def evaluate(stack: Stack, server: Prometheus, measured: Measured) -> None:
    """Have the rules evaluated, over devices that are scraped; print what was seen."""
    before, busy = time.monotonic(), server.cpu()
    time.sleep(IDLE)
    scraping = (server.cpu() - busy) / (time.monotonic() - before)

    deploy(stack, server)

    def seen_by_all(times: int) -> bool:
        measured.note(server.get("/api/v1/rules"))
        return measured.seen(times)

    until(lambda: seen_by_all(0), "every group has made its series", every=ASKED)
    before, busy, waited = time.monotonic(), server.cpu(), server.waited()
    already = measured.taken()
    until(lambda: seen_by_all(EVALUATIONS), f"{EVALUATIONS} evaluations of all", every=ASKED)
    took, used = time.monotonic() - before, server.cpu() - busy
    measured.of_rules = (used - scraping * took) / (measured.taken() - already)
    print(
        *measured.lines(),
        f"Prometheus: {used / took:.0%} of the core, {scraping:.0%} of it before "
        f"there were rules; {server.memory() / 2**30:.1f} GiB, "
        f"{server.number('prometheus_tsdb_head_series') / 1e6:.2f} million series;",
        f"others had its core for {(server.waited() - waited) / took:.0%} of the time: of each "
        f"second of an evaluation",
        f"{measured.of_rules:.2f} s were CPU, garbage collection and all, which "
        f"makes {measured.cpu:.1%} of a core, {measured.cpu / BOUND:.0%} of a third",
        *found(server),
        sep="\n",
    )


def found(server: Prometheus) -> Iterator[str]:
    """Yield what the rules found, which proves that they had something to read."""
    for expr in ("count(chm_device_up)", "count(interface:ifOperStatus:lost_timestamp_seconds)"):
        yield f"{expr} = {server.number(expr):g}"
    alerts = server.get("/api/v1/query", query="count by (alertname) (ALERTS)")["data"]["result"]
    named = {one["metric"]["alertname"]: one["value"][1] for one in alerts}
    yield "alerts: " + ", ".join(f"{name} {count}" for name, count in sorted(named.items()))


def available() -> int:
    """Return the bytes of memory that nobody uses."""
    found = re.search(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) << 10 if found else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=DEVICES, help="in hundreds")
    devices = parser.parse_args().devices
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # with all that it has started
    if devices * MEMORY > available():
        raise SystemExit(f"{devices} devices take {devices * MEMORY >> 30} GiB: choose fewer")
    os.environ["PATH"] += f"{os.pathsep}{_peers.ROOT / '.tools' / 'bin'}"
    *rest, cpu = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, rest or [cpu])  # the rest of this: the last CPU is for Prometheus
    told = asyncio.run(_sites.series(_sites.site()))
    few, many = (measure(count, told, cpu) for count in (devices // 10, devices))
    lines, within = verdict(few, many, DEVICES)
    print("", *lines, sep="\n")
    if few.failed or many.failed:
        sys.exit("rules failed")
    if not within:
        sys.exit("over the bound")


if __name__ == "__main__":
    main()
