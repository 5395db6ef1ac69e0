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
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import uvicorn
import yaml
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench import _peers, _sites
from bench._installation import migrated, running
from bench._peers import Exporter
from bench._sites import Pages, Series
from bench.targets import INTENT, PERMISSIONS, TARGETS
from controlplane.app import create_app
from controlplane.auth import service_tokens
from controlplane.auth.actor import shell
from controlplane.devices.addresses import Reach
from controlplane.provisioning import configuration, service
from controlplane.settings import Settings
from controlplane.stack import services
from controlplane.transfer import service as transfer
from controlplane.transfer.schemas import ImportQuery
from controlplane.transfer.sources.draft import Given

DEVICES = 10_000
BOUND = 1 / 3  # of an interval
EXPORTERS = "/api/v1/targets/exporters"
EVALUATIONS = 3  # of each group, after the first, which makes its series
FREQUENT = 60.0  # seconds; groups that run more seldom do so here, and are judged by their own
ASKED = 5.0  # seconds between two looks at what evaluations took, which cost CPU themselves
IDLE = 60.0  # seconds in which Prometheus only scrapes, to know what that costs
PATIENCE = 600.0  # seconds, for each of: all devices are scraped, all rules are measured
SLOWEST = 10
MEMORY = 4 << 20  # bytes of a device, garbage included, in a Prometheus that runs the rules
NANO = 1e9
# An hour ago would be too old for a Prometheus that keeps two hours in memory, as it does.
KEEP = ("--storage.tsdb.min-block-duration=6h", "--storage.tsdb.max-block-duration=6h")


@dataclass(frozen=True)
class Stack:
    """What a control plane with the devices gives out."""

    settings: Settings
    answers: Mapping[str, bytes]  # by path
    rules: Mapping[str, str]  # files by name

    def groups(self) -> Iterator[dict[str, Any]]:
        """Yield the rule groups."""
        for text in self.rules.values():
            yield from yaml.safe_load(text)["groups"]

    def expressions(self) -> Iterator[str]:
        """Yield the expressions of all rules."""
        for group in self.groups():
            yield from (rule["expr"] for rule in group["rules"])


async def installed(settings: Settings, sites: int) -> Stack:
    """Fill a control plane with so many sites; give what it gives out."""
    app, site = create_app(settings), _sites.site()
    async with app.router.lifespan_context(app):
        async with app.state.sessions.begin() as session:
            given = Given(_sites.document(site, sites))
            report = await transfer.load(
                session, shell(), app.state.vault, Reach.of(settings), given, ImportQuery()
            )
            if report.errors:
                raise RuntimeError(report.errors[0].message)
            token = await service_tokens.issue(session, shell(), "bench", PERMISSIONS)
            wanted = await service.wanted(session, settings)
        answers = {}
        headers = {"Authorization": f"Bearer {token}"}
        url = settings.controlplane_url
        async with AsyncClient(transport=ASGITransport(app), base_url=url, headers=headers) as http:
            for path in (TARGETS, EXPORTERS, INTENT):
                answers[path] = (await http.get(path, timeout=60)).raise_for_status().content
    answers[INTENT] += _sites.decided(site, sites)
    answers["/metrics"] = b"chm_ruleset_deployment_failed 0\n"
    return Stack(settings, answers, wanted.files)


def prepared(folder: Path, sites: int) -> Stack:
    """Give the stack of so many sites: its services are all at one port, but Prometheus."""
    port, prometheus = _peers.free_port(), _peers.free_port()
    url = f"http://127.0.0.1:{port}"
    with migrated() as settings:
        chosen = Settings(
            data=settings.data,
            management_networks=settings.management_networks,
            rate_service=0,
            controlplane_port=port,
            exporter_port=port,
            alertmanager_port=port,
            prometheus_port=prometheus,
            public_url=url,
        )
        stack = asyncio.run(installed(chosen, sites))
    moved = chosen.model_copy(update={"data": folder})
    return Stack(moved, stack.answers, stack.rules)


class Feed:
    """The services that Prometheus talks with: all that they do is answer."""

    def __init__(self, stack: Stack, pages: Pages) -> None:
        self._answers, self._pages = stack.answers, pages
        self._port = stack.settings.controlplane_port
        self.asked: set[str] = set()  # the devices of which a scrape was answered

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve until the end of the block."""
        app = Starlette(
            routes=[
                Route("/probe", self._probe),
                Route("/{path:path}", self._answer, methods=["GET", "POST"]),
            ]
        )
        config = uvicorn.Config(app, port=self._port, log_level="error", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()

    async def _answer(self, request: Request) -> Response:
        if request.method == "POST":  # alerts, to an Alertmanager
            await request.body()
            return Response("{}")
        content = self._answers.get(request.url.path)
        if content is None:
            return Response(status_code=404)
        json = request.url.path.startswith("/api/")
        return Response(content, media_type="application/json" if json else "text/plain")

    async def _probe(self, request: Request) -> Response:
        target = request.query_params["target"]
        site, _, device = target.partition("-")
        page = self._pages.now(device, time.time())
        if target not in self.asked:
            self.asked.add(target)
            page = self._pages.past(device) + page
        page = page.replace(b'neighbor="', f'neighbor="{site}-'.encode())
        return Response(page, media_type="text/plain; version=0.0.4")


@dataclass
class Measured:
    """What Prometheus says of a rule set: seconds of each evaluation, by group and by rule."""

    devices: int
    groups: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    names: dict[tuple[str, int], str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)  # what a rule failed with
    share: float = 0.0  # of a core, that evaluations took by the clock
    cpu: float = 0.0  # the same without the time for which they waited for the core

    def note(self, tree: Mapping[str, Any], seen: dict[str, str]) -> None:
        """Note what is new in an answer of `/api/v1/rules`; the first of a group does not count."""
        for group in tree["data"]["groups"]:
            name, at = group["name"], group["lastEvaluation"]
            if at.startswith("0001") or seen.get(name) == at:
                continue
            first, seen[name] = name not in seen, at
            for place, rule in enumerate(group["rules"]):
                if rule["health"] != "ok":
                    self.failed[f"{name}: {rule['name']}"] = rule.get("lastError", "")
                self.names[name, place] = rule["name"]
                if not first:
                    self.rules[name, place].append(rule["evaluationTime"])
            if not first:
                self.groups[name].append(group["evaluationTime"])

    def taken(self) -> float:
        """Return the seconds of all evaluations so far."""
        return sum(map(sum, self.groups.values()))


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
    measured = Measured(sites * _sites.SITE)
    with tempfile.TemporaryDirectory(prefix="chm-bench-") as name:
        folder = Path(name)
        stack = prepared(folder, sites)
        pages = Pages(told, _sites.reach(stack.expressions()), time.time())
        feed = Feed(stack, pages)
        with feed.serving(), prometheus(stack, cpu) as server:
            print(f"\n{measured.devices} devices, {pages.samples('access-01')} series of an access")
            print(f"switch, {_sites.PORTS} ports each; Prometheus on CPU {cpu} alone", flush=True)
            evaluate(stack, feed, server, measured)
            return measured


def evaluate(stack: Stack, feed: Feed, server: Prometheus, measured: Measured) -> None:
    """Have all devices scraped, then the rules evaluated; print what was seen."""
    began = time.monotonic()
    until(lambda: len(feed.asked) == measured.devices, "every device is scraped")
    until(
        lambda: server.number('count(up{job="chm-devices"})') == measured.devices,
        "every device has its past",
    )
    print(f"all scraped, with an hour of the past, in {time.monotonic() - began:.0f} s")
    before, busy = time.monotonic(), server.cpu()
    time.sleep(IDLE)
    scraping = (server.cpu() - busy) / (time.monotonic() - before)

    deploy(stack, server)
    seen: dict[str, str] = {}
    intervals = {
        group["name"]: seconds(group["interval"]) if "interval" in group else 0.0
        for group in stack.groups()
    }
    ruled = {name: interval for name, interval in intervals.items() if interval}

    def seen_by_all(times: int) -> bool:
        measured.note(server.get("/api/v1/rules"), seen)
        return all(name in seen and len(measured.groups[name]) >= times for name in ruled)

    until(lambda: seen_by_all(0), "every group has made its series", every=ASKED)
    before, busy, waited = time.monotonic(), server.cpu(), server.waited()
    already = measured.taken()
    until(lambda: seen_by_all(EVALUATIONS), f"{EVALUATIONS} evaluations of all", every=ASKED)
    took, used = time.monotonic() - before, server.cpu() - busy
    report(measured, ruled, stack)
    of_rules = (used - scraping * took) / (measured.taken() - already)
    measured.cpu = measured.share * of_rules
    print(
        f"Prometheus: {used / took:.0%} of the core, {scraping:.0%} of it before "
        f"there were rules; {server.memory() / 2**30:.1f} GiB, "
        f"{server.number('prometheus_tsdb_head_series') / 1e6:.2f} million series;\n"
        f"others had its core for {(server.waited() - waited) / took:.0%} of the time: of each "
        f"second of an evaluation\n{of_rules:.2f} s were CPU, garbage collection and all, which "
        f"makes {measured.cpu:.1%} of a core, {measured.cpu / BOUND:.0%} of a third"
    )
    known(server, measured)


def known(server: Prometheus, measured: Measured) -> None:
    """Print what the rules found, which proves that they had something to read."""
    for expr in (
        "count(device:chm_device_up:min)",
        "count(interface:ifOperStatus:lost_timestamp_seconds)",
    ):
        print(f"{expr} = {server.number(expr):g}")
    alerts = server.get("/api/v1/query", query="count by (alertname) (ALERTS)")["data"]["result"]
    found = {one["metric"]["alertname"]: one["value"][1] for one in alerts}
    print("alerts: " + ", ".join(f"{name} {count}" for name, count in sorted(found.items())))
    for rule, error in measured.failed.items():
        print(f"FAILED {rule}: {error}")


def report(measured: Measured, intervals: Mapping[str, float], stack: Stack) -> None:
    """Print a line for each group, the sum, and the slowest rules."""
    count = {group["name"]: len(group["rules"]) for group in stack.groups()}
    head = f"{'group':24}{'rules':>6}{'every':>8}{'last':>9}{'median':>9}{'of a third':>12}"
    print(head)
    for name, interval in intervals.items():
        taken = measured.groups[name]
        share = median(taken) / interval
        measured.share += share
        print(
            f"{name:24}{count[name]:6}{interval:6.0f} s{taken[-1]:7.2f} s{median(taken):7.2f} s"
            f"{share / BOUND:12.0%}"
        )
    whole = f"{measured.share:.1%} of a core, {measured.share / BOUND:.0%} of a third"
    print(f"{'all':24}{sum(count[name] for name in intervals):6}{whole:>38}")
    print(f"the slowest {SLOWEST} rules:")
    slowest = sorted(measured.rules, key=lambda rule: -median(measured.rules[rule]))
    for rule in slowest[:SLOWEST]:
        name = f"{rule[0]}: {measured.names[rule]} (rule {rule[1] + 1})"
        print(f"{median(measured.rules[rule]):9.2f} s  {name}")


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
    print(
        f"\n{many.devices / few.devices:g} times the devices cost {many.cpu / few.cpu:.1f} "
        f"times the CPU; with {DEVICES} all rules take of a third of their intervals"
        f"{'' if many.devices == DEVICES else ', extrapolated'}:"
    )
    shares = {"by the clock": many.share, "of CPU": many.cpu}
    whole = {of: share * DEVICES / many.devices for of, share in shares.items()}
    for of, share in whole.items():
        print(f"{share / BOUND:9.0%} {of}")
    if few.failed or many.failed:
        sys.exit("rules failed")
    if max(whole.values()) > BOUND:
        sys.exit("over the bound")


if __name__ == "__main__":
    main()
