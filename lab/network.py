"""The simulated network: devices whose time moves on together, and the scenarios under way."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lab import scenarios
from lab.device import Condition, Device
from lab.errors import BadArgument, UnknownDevice, UnknownScenario
from lab.mibs.lldp import Neighbour
from lab.scenarios import Scenario
from lab.topology import DeviceSpec, Link, Topology

Clock = Callable[[], float]
Key = tuple[str, str, str]  # device, scenario, subject
End = tuple[str, str]  # device, port


@dataclass(frozen=True)
class UnderWay:
    """A scenario that was started on a device."""

    device: str
    scenario: Scenario
    since: float  # Unix seconds
    until: float | None


class Network:
    """The state of every device, as a function of time and of what was started."""

    def __init__(self, topology: Topology, clock: Clock, bulk: Iterable[DeviceSpec] = ()) -> None:
        self.topology = topology
        self._bulk = {spec.name: spec for spec in bulk}
        self._clock = clock
        self.now = clock()
        self.devices = {spec.name: Device(spec, topology, self.now) for spec in topology.devices}
        # What all bulk devices have in common, until a scenario sets one apart.
        first = next(iter(self._bulk.values()), None)
        self.bulk = Device(first, topology, self.now) if first else None
        self._under_way: dict[Key, UnderWay] = {}
        self._cut_off: frozenset[str] = frozenset()
        self._settle()

    def advance(self) -> None:
        """Move time on to now: count traffic, end what has run its time, let the rest follow."""
        before, self.now = self.now, self._clock()
        for device in (*self.devices.values(), *((self.bulk,) if self.bulk else ())):
            device.advance(before, self.now)
        for key, entry in list(self._under_way.items()):
            if entry.until is not None and entry.until <= self.now:
                self._end(key)
        self._settle()

    def answers(self, name: str) -> bool:
        """Say whether the poller can reach a device that is alive."""
        return name not in self._cut_off

    def rows(self, name: str) -> Iterator[tuple[tuple[int, ...], bytes]]:
        """Return what a device answers now."""
        return self.devices[name].rows(self.now, self._neighbours(name))

    def under_way(self, device: str) -> list[UnderWay]:
        """Return the scenarios under way on a device."""
        return [entry for key, entry in self._under_way.items() if key[0] == device]

    def start(self, device: str, name: str, arguments: Mapping[str, Any]) -> UnderWay:
        """Start a scenario; the same one on the same subject is replaced."""
        target = self._device(device)
        scenario = scenarios.parse(name, arguments)
        _check(target, scenario)
        self.advance()
        until = None if scenario.duration is None else self.now + scenario.duration
        entry = UnderWay(device, scenario, self.now, until)
        if isinstance(scenario, scenarios.CounterWrap):
            for direction in (target.ports[scenario.port].into, target.ports[scenario.port].out):
                direction.wrap_in(scenario.seconds, scenario.bits, self.now)
        else:
            self._under_way[device, name, scenario.subject] = entry
        self._settle()
        return entry

    def stop(self, device: str, name: str) -> None:
        """End a scenario on a device, on all its ports or parts."""
        self._device(device)
        scenarios.kind(name)
        keys = [key for key in self._under_way if key[:2] == (device, name)]
        if not keys:
            raise UnknownScenario(f"{name} is not under way on {device}")
        self.advance()
        for key in keys:
            self._end(key)
        self._settle()

    def _device(self, name: str) -> Device:
        if self.bulk and name in self._bulk:  # from now on it lives a life of its own
            self.devices[name] = self.bulk.twin(self._bulk.pop(name))
        try:
            return self.devices[name]
        except KeyError:
            raise UnknownDevice(f"no device {name!r}") from None

    def _end(self, key: Key) -> None:
        entry = self._under_way.pop(key, None)
        if entry and isinstance(entry.scenario, scenarios.Reboot):
            self.devices[entry.device].boot(self.now)

    def _settle(self) -> None:
        """Let health, links and reachability follow from what is under way."""
        dead: set[End] = set()
        for name, device in self.devices.items():
            entries = self.under_way(name)
            device.condition = _condition(entries)
            _damage(device, entries)
            dead |= {(name, port) for port in _dead_ports(device, entries, self.now)}
        for link in self.topology.links:
            ends = {(link.a, link.a_port), (link.b, link.b_port)}
            if ends & dead:
                dead |= ends
        for name, device in self.devices.items():
            for port in device.ports.values():
                if port.cabled:
                    device.set_link(port, self.now, up=(name, port.kind.name) not in dead)
        self._cut_off = self._unreachable()

    def _unreachable(self) -> frozenset[str]:
        """Return the devices that are off, or whose every way to the poller is cut."""
        off = {key[0] for key, entry in self._under_way.items() if _silences(entry.scenario)}
        poller = self.topology.poller
        if poller is None:
            return frozenset(off)
        whole, alive = self._reach(poller, lambda _: True), set[str]()
        if poller not in off:
            alive = self._reach(poller, lambda link: link.b not in off and self._up(link))
        return frozenset(off | (whole - alive))

    def _reach(self, start: str, passable: Callable[[Link], bool]) -> set[str]:
        seen, queue = {start}, deque([start])
        while queue:
            for link in self.topology.cables[queue.popleft()]:
                if link.b not in seen and passable(link):
                    seen.add(link.b)
                    queue.append(link.b)
        return seen

    def _up(self, link: Link) -> bool:
        return self.devices[link.a].ports[link.a_port].up

    def _neighbours(self, name: str) -> Iterator[Neighbour]:
        for link in self.topology.cables.get(name, ()):
            mine, peer = self.devices[name].ports[link.a_port], self.devices[link.b]
            if mine.up:
                platform = peer.spec.platform
                port = platform.lldp_port(peer.ports[link.b_port].kind)
                yield Neighbour(mine.kind.index, peer.identity, port, platform.router)


def _silences(scenario: Scenario) -> bool:
    return isinstance(scenario, scenarios.DeviceDown | scenarios.Reboot)


def _dead_ports(device: Device, entries: list[UnderWay], now: float) -> Iterator[str]:
    """Return the ports that are down because of this end."""
    for entry in entries:
        match entry.scenario:
            case scenarios.LinkDown(port=port):
                yield port
            case scenarios.Flap(port=port, period=period):
                if int((now - entry.since) // period) % 2 == 0:
                    yield port
            case scenarios.DeviceDown() | scenarios.Reboot():
                yield from device.ports


def _damage(device: Device, entries: list[UnderWay]) -> None:
    ratios = {
        entry.scenario.port: entry.scenario.ratio
        for entry in entries
        if isinstance(entry.scenario, scenarios.InterfaceErrors)
    }
    for port in device.ports.values():
        port.error_ratio = ratios.get(port.kind.name, 0.0)


def _condition(entries: list[UnderWay]) -> Condition:
    condition = Condition()
    for entry in entries:
        match entry.scenario:
            case scenarios.CpuHot(percent=percent):
                condition.cpu_percent = percent
            case scenarios.TemperatureHigh(celsius=celsius):
                condition.temperature = celsius
            case scenarios.FanFailed(fan=fan):
                condition.failed_fans.add(fan)
            case scenarios.PsuFailed(psu=psu):
                condition.failed_supplies.add(psu)
            case scenarios.ModuleFailed(module=module):
                condition.failed_modules.add(module)
    return condition


def _check(device: Device, scenario: Scenario) -> None:
    """Refuse a port, fan, power supply or module that the device does not have."""
    name, platform = device.spec.name, device.spec.platform
    match scenario:
        case scenarios.OnPort(port=port):
            kind = platform.port(port)
            if kind is None or not device.ports[port].cabled:
                cabled = ", ".join(p.kind.name for p in device.ports.values() if p.cabled)
                raise BadArgument(f"{name} has nothing on a port {port!r}; in use are {cabled}")
        case scenarios.FanFailed(fan=fan) if fan > platform.fans:
            raise BadArgument(f"{name} has {platform.fans} fans, not {fan}")
        case scenarios.PsuFailed(psu=psu) if psu > platform.power_supplies:
            raise BadArgument(f"{name} has {platform.power_supplies} power supplies, not {psu}")
        case scenarios.ModuleFailed(module=module) if module > platform.modules:
            raise BadArgument(f"{name} has {platform.modules} modules, not {module}")
        case _:
            return
