"""A fleet of sites, as many times the same hundred devices: what is known of it, and what it tells.

A site is a router, two core switches, nine distribution switches behind both, and 88 access
switches behind two of those; all have 24 ports. The lab simulates one site and our exporter probes
each device of it, so names and labels are those that Prometheus gets. Of the next sites only the
names differ.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from bench import probe
from controlplane.metrics.exposition import Family, Sample, render
from exporter.probe import pings
from exporter.profiles import loader
from lab import inventory, platforms
from lab.server import Lab
from lab.topology import DeviceSpec, Link, Topology

SITE = 100  # devices
PORTS = 24
CORES, DISTRIBUTIONS = 2, 9
BASE = "127.0.93."
MINUTE = 60.0
AT_ONCE = 8  # devices that are probed: a hundred would run out of time on a busy machine
PAST = 66  # minutes that Prometheus is told of at first, at most: rules look back an hour
SCRAPES = 4  # minutes of the past that every series has: the window of rates

# What goes wrong at every site, beginning with the first scrape.
TROUBLE: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("access-05", "device-down", {}),
    ("access-10", "link-down", {"port": "Gi1/0/1"}),
    ("access-11", "cpu-hot", {}),
    ("access-12", "fan-failed", {}),
    ("access-13", "interface-errors", {"port": "Gi1/0/2"}),
    ("dist-3", "psu-failed", {}),
    ("dist-4", "temperature-high", {}),
)

# What no device of the lab has: the optics of the uplinks, inline power, a stack, and what routers
# say of each other (docs/metrics.md).
OPTICS = {"dbm": (-4.0, -20.0, 3.0), "amperes": (0.03, 0.001, 0.08), "volts": (3.3, 3.0, 3.6)}
EVERYWHERE = """\
chm_poe_used_watts{pse="1"} 212
chm_poe_budget_watts{pse="1"} 715
chm_stack_member_up{member="1"} 1
"""
ROUTERS = "".join(
    f'chm_bgp_session_up{{peer="10.255.0.{n}",remote_as="65000"}} 1\n'
    f'chm_bgp_session_enabled{{peer="10.255.0.{n}",remote_as="65000"}} 1\n'
    f'chm_bgp_session_transitions_total{{peer="10.255.0.{n}",remote_as="65000"}} 3\n'
    f'chm_ospf_neighbor_up{{neighbor="10.254.0.{n}",router_id="10.253.0.{n}"}} 1\n'
    for n in range(4)
)

LINE = re.compile(r"(([A-Za-z_:][\w:]*)(?:\{.*\})?) (\S+)")
# A metric in PromQL, with its range and its offset.
READ = re.compile(
    r"\b([A-Za-z_][\w:]*)(?:\{[^}]*\})?(?:\[(\w+)\])?(?:\s+offset\s+(\w+))?", re.ASCII
)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def site() -> Topology:
    """Make the site that the lab simulates."""
    whole = platforms.catalogue()["catalyst-48-ports"]
    switch = replace(whole, name="catalyst-24-ports", ports=whole.ports[:PORTS])
    cores, distributions, access = (
        [f"{tier}-{n:0{digits}}" for n in range(1, count + 1)]
        for tier, count, digits in (
            ("core", CORES, 1),
            ("dist", DISTRIBUTIONS, 1),
            ("access", SITE - 1 - CORES - DISTRIBUTIONS, 2),
        )
    )
    tiers = (
        ("router", ["edge"]),
        ("core", cores),
        ("distribution", distributions),
        ("access", access),
    )
    devices = tuple((name, role) for role, names in tiers for name in names)
    free = {name: iter(switch.ports) for name, _ in devices}

    def link(lower: str, upper: str) -> Link:
        return Link(lower, next(free[lower]).name, upper, next(free[upper]).name)

    links = [link(core, "edge") for core in cores]
    links += [link(dist, core) for dist in distributions for core in cores]
    for number, name in enumerate(access):
        links += [link(name, distributions[(number + n) % DISTRIBUTIONS]) for n in (0, 1)]
    return Topology(
        tuple(
            DeviceSpec(name, switch, role, f"{BASE}{10 + number}", "site")  # type: ignore[arg-type]
            for number, (name, role) in enumerate(devices)
        ),
        tuple(links),
        "edge",
    )


def name(number: int, device: str) -> str:
    """Give the name of a device at the site of this number."""
    return f"s{number:03}-{device}"


def document(one: Topology, sites: int) -> dict[str, Any]:
    """Give the inventory of so many sites; their routers are behind that of the first."""
    whole = inventory.document(one, (), port=161, community="public")
    devices = []
    for number in range(sites):
        for place, device in enumerate(whole["devices"]):
            parents = [name(number, parent) for parent in device["parents"]]
            devices.append(
                {
                    **device,
                    "name": name(number, device["name"]),
                    "address": f"10.{number >> 8}.{number & 255}.{place + 1}",
                    "site": f"site-{number:03}",
                    "parents": parents or ([name(0, "edge")] if number else []),
                }
            )
    sites_ = [{"name": f"site-{number:03}"} for number in range(sites)]
    return {**whole, "sites": sites_, "devices": devices}


def decided(one: Topology, sites: int) -> bytes:
    """Write what operators might have decided: of each device one port matters, one does not."""
    ports = [port.name for port in one.devices[0].platform.ports]
    samples = (
        Sample(value, {"device": name(number, each.name), "ifName": port, "importance": importance})
        for number in range(sites)
        for each in one.devices
        for value, port, importance in ((1, ports[0], "critical"), (0, ports[-1], "normal"))
    )
    return render([Family("chm_interface_monitored", "As operators decided.", samples)])


@dataclass(frozen=True)
class Series:
    """A series as it is written, its value before the trouble and now, and how it grows."""

    metric: str
    block: str
    before: float | None
    now: float | None
    a_minute: float = 0.0

    def line(self, value: float, minutes: float) -> str:
        """Write it as it is so many minutes from now."""
        at = value + self.a_minute * (minutes + 2 * PAST)  # so that no counter was below zero
        return f"{self.block} {int(at) if at.is_integer() else at}"


async def series(one: Topology) -> Mapping[str, list[Series]]:
    """Give what each device of a site tells: before the trouble began, and since."""
    clock = [1_750_000_000.0]
    async with Lab(one, snmp_port=0, tick=3600, clock=lambda: clock[0]) as lab:
        clock[0] += 600
        lab.advance()
        before = await _probed(one, lab)
        for device, scenario, arguments in TROUBLE:
            lab.start(device, scenario, arguments)
        clock[0] += MINUTE
        lab.advance()
        now = await _probed(one, lab)
    return {each: list(_series(before[each], now[each])) for each in before}


async def _probed(one: Topology, lab: Lab) -> dict[str, str]:
    """Have our exporter probe every device of the lab; give the pages."""
    configuration, turns = loader.load(()), asyncio.Semaphore(AT_ONCE)

    async def page(spec: DeviceSpec) -> str:
        target = f"{spec.address}:{lab.port}"
        async with turns, probe.client(target, configuration, (pings.COLLECTOR,)) as asking:
            found = (await probe.probed(asking)).decode()
        if not re.search("^chm_device_up 1", found, re.MULTILINE):
            return found
        routes = spec.role in {"router", "core"}
        return found + EVERYWHERE + _optics(one, spec) + (ROUTERS if routes else "")

    pages = await asyncio.gather(*map(page, one.devices))
    return {spec.name: found for spec, found in zip(one.devices, pages, strict=True)}


def _optics(one: Topology, spec: DeviceSpec) -> str:
    lines = []
    for cable in one.cables[spec.name]:
        for unit, (value, low, high) in OPTICS.items():
            sensor = f'sensor="{cable.a_port} {unit}"'
            lines.append(f"chm_sensor_{unit}{{{sensor}}} {value}\n")
            lines += [
                f'chm_sensor_limit_{unit}{{{sensor},limit="{limit}_{severity}"}} {bound}\n'
                for limit, bound in (("low", low), ("high", high))
                for severity in ("critical", "warning")
            ]
    return "".join(lines)


def _series(before: str, now: str) -> Iterator[Series]:
    counters = set(re.findall(r"^# TYPE (\S+) counter$", before, re.MULTILINE))
    old, new = _values(before), _values(now)
    for block in dict.fromkeys((*old, *new)):
        metric = block.partition("{")[0]
        was, is_ = old.get(block), new.get(block)
        if metric in counters and was is not None and is_ is not None:
            yield Series(metric, block, was, was, max(is_ - was, 0))
        else:
            yield Series(metric, block, was, is_)


def _values(page: str) -> dict[str, float]:
    found = (LINE.fullmatch(line) for line in page.splitlines() if not line.startswith("#"))
    return {match[1]: float(match[3]) for match in found if match}


def reach(expressions: Iterable[str]) -> dict[str, int]:
    """Give the words of rules, metrics among them, and how many minutes back each is read."""
    found: dict[str, int] = {}
    for metric, window, offset in READ.findall("\n".join(expressions)):
        back = (_seconds(window) + _seconds(offset)) // 60
        found[metric] = max(found.get(metric, 0), min(back, PAST))
    return found


def _seconds(duration: str) -> int:
    return sum(
        int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", duration)
    )


class Pages:
    """The pages of a site's devices: what rules read of them, as it is at a time."""

    def __init__(
        self, told: Mapping[str, list[Series]], reach: Mapping[str, int], began: float
    ) -> None:
        self._told = {
            device: [one for one in found if one.metric in reach] for device, found in told.items()
        }
        self._reach = reach
        self._began = began
        self._now = lru_cache(maxsize=2 * SITE)(self._written)
        self.missing = reach.keys() - {one.metric for found in told.values() for one in found}

    def samples(self, device: str) -> int:
        """Count the series of a device."""
        return sum(one.now is not None for one in self._told[device])

    def now(self, device: str, at: float) -> bytes:
        """Write what a device tells at a time (Unix seconds), with the minute of it."""
        return self._now(device, int((at - self._began) // MINUTE))

    def _written(self, device: str, minutes: int) -> bytes:
        lines = [one.line(one.now, minutes) for one in self._told[device] if one.now is not None]
        return ("\n".join(lines) + "\n").encode()

    @lru_cache(maxsize=SITE)  # noqa: B019 - it lives as long as the run
    def past(self, device: str) -> bytes:
        """Write what it told before, minute by minute, as far back as rules read it."""
        return "".join(
            f"{one.line(one.before, -ago)} {int((self._began - ago * MINUTE) * 1000)}\n"
            for one in self._told[device]
            if one.before is not None
            for ago in range(self._back(one.metric), 0, -1)
        ).encode()

    def _back(self, metric: str) -> int:
        back = self._reach[metric]
        return min(back + 5, PAST) if back > SCRAPES else SCRAPES
