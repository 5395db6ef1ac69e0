"""Which devices there are and how they are cabled; every table of the lab agrees with it."""

import ipaddress
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab import platforms
from lab.errors import BadTopology
from lab.platforms.platform import Platform

Role = Literal["router", "core", "distribution", "access"]
LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
DEFAULT_BASE = "127.0.1.0"
FIRST_DEVICE = 10  # devices without an address get base + 10 and up
BULK_OFFSET = 0x1_0001  # bulk addresses begin at 127.1.1.1 for the default base
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class DeviceSpec:
    """A device to simulate."""

    name: str
    platform: Platform
    role: Role
    address: str
    site: str


@dataclass(frozen=True)
class Link:
    """A cable between the port `a_port` (an ifName) of device `a` and `b_port` of device `b`."""

    a: str
    a_port: str
    b: str
    b_port: str

    def reversed(self) -> "Link":
        """Return the same cable as seen from the other end."""
        return Link(self.b, self.b_port, self.a, self.a_port)


@dataclass(frozen=True)
class Topology:
    """Devices, the cables between them, and the device the poller sits at."""

    devices: tuple[DeviceSpec, ...]
    links: tuple[Link, ...] = ()
    poller: str | None = None

    def __post_init__(self) -> None:
        _validate(self)

    @cached_property
    def by_name(self) -> Mapping[str, DeviceSpec]:
        """Every device by its name."""
        return {device.name: device for device in self.devices}

    @cached_property
    def cables(self) -> Mapping[str, tuple[Link, ...]]:
        """Every device's cables, each seen from that device."""
        ends: dict[str, list[Link]] = {device.name: [] for device in self.devices}
        for link in self.links:
            ends[link.a].append(link)
            ends[link.b].append(link.reversed())
        return {name: tuple(links) for name, links in ends.items()}

    def speed_mbps(self, link: Link) -> int:
        """Return what both ends of a cable can do."""
        a, b = (
            self.by_name[link.a].platform.port(link.a_port),
            self.by_name[link.b].platform.port(link.b_port),
        )
        return min(port.speed_mbps for port in (a, b) if port)

    def parents(self, name: str) -> tuple[str, ...]:
        """Return the next hops of a device towards the poller; several are alternatives."""
        mine = self._distance.get(name)
        if not mine:
            return ()
        neighbours = dict.fromkeys(link.b for link in self.cables[name])
        return tuple(n for n in neighbours if self._distance[n] == mine - 1)

    @cached_property
    def _distance(self) -> Mapping[str, int]:
        distance = {self.poller: 0} if self.poller else {}
        queue = deque(distance)
        while queue:
            here = queue.popleft()
            for link in self.cables[here]:
                if link.b not in distance:
                    distance[link.b] = distance[here] + 1
                    queue.append(link.b)
        return distance


def bulk(count: int, base: str = DEFAULT_BASE) -> Iterator[DeviceSpec]:
    """Return identical 48-port switches without cables, for load tests."""
    platform = platforms.catalogue()["catalyst-48-ports"]
    for number in range(1, count + 1):
        address = str(ipaddress.IPv4Address(base) + BULK_OFFSET + number - 1)
        yield DeviceSpec(f"bulk{number:04d}", platform, "access", address, "bulk")


def _validate(topology: Topology) -> None:
    names = [device.name for device in topology.devices]
    for what, values in (("device", names), ("address", [d.address for d in topology.devices])):
        if len(set(values)) < len(values):
            twice = next(value for value in values if values.count(value) > 1)
            raise BadTopology(f"{what} {twice!r} occurs twice")
    for device in topology.devices:
        if not SLUG.fullmatch(device.name):
            raise BadTopology(f"device name {device.name!r} is not a lower-case slug")
        if ipaddress.IPv4Address(device.address) not in LOOPBACK:
            raise BadTopology(f"device {device.name!r}: {device.address} is not a loopback address")
    if topology.poller is not None and topology.poller not in names:
        raise BadTopology(f"poller: no device {topology.poller!r}")
    _validate_links(topology)


def _validate_links(topology: Topology) -> None:
    used: set[tuple[str, str]] = set()
    for link in topology.links:
        for name, port in ((link.a, link.a_port), (link.b, link.b_port)):
            device = topology.by_name.get(name)
            if device is None:
                raise BadTopology(f"link: no device {name!r}")
            kind = device.platform.port(port)
            if kind is None or not kind.physical:
                raise BadTopology(f"link: {name} ({device.platform.name}) has no port {port!r}")
            if (name, port) in used:
                raise BadTopology(f"link: port {port!r} of {name} has two cables")
            used.add((name, port))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _DeviceEntry(_Strict):
    name: str
    platform: str
    role: Role
    address: ipaddress.IPv4Address | None = None
    site: str = "demo"


class _LinkEntry(_Strict):
    a: str
    a_port: str
    b: str
    b_port: str


class _TopologyFile(_Strict):
    poller: str | None = None
    devices: tuple[_DeviceEntry, ...] = Field(min_length=1)
    links: tuple[_LinkEntry, ...] = ()


def load(path: Path, base: str = DEFAULT_BASE) -> Topology:
    """Read a topology from a YAML file; BadTopology says in one line what is wrong with it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _build(_TopologyFile.model_validate(content), base)
    except OSError as error:
        raise BadTopology(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadTopology(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise BadTopology(f"{path}: {where}: {first['msg']}") from error
    except BadTopology as error:
        raise BadTopology(f"{path}: {error}") from error


def _build(file: _TopologyFile, base: str) -> Topology:
    catalogue = platforms.catalogue()
    devices = []
    for number, entry in enumerate(file.devices):
        if entry.platform not in catalogue:
            known = ", ".join(sorted(catalogue))
            raise BadTopology(
                f"device {entry.name!r}: no platform {entry.platform!r}; there are {known}"
            )
        address = str(entry.address or ipaddress.IPv4Address(base) + FIRST_DEVICE + number)
        platform = catalogue[entry.platform]
        devices.append(DeviceSpec(entry.name, platform, entry.role, address, entry.site))
    links = tuple(Link(**entry.model_dump()) for entry in file.links)
    return Topology(tuple(devices), links, file.poller)


def demo(base: str = DEFAULT_BASE) -> Topology:
    """Return the demo network: router, core, two distribution and eight access switches."""
    return load(Path(__file__).parent / "demo.yml", base)
