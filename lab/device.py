"""A simulated device: what it is, what it counted, how it feels, and what it answers."""

import copy
import hashlib
import ipaddress
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lab import traffic
from lab.ber import Row, octets
from lab.mibs import entity, interfaces, lldp, system
from lab.mibs.entity import CHASSIS, Entity
from lab.mibs.lldp import Neighbour
from lab.mibs.system import Identity
from lab.platforms.platform import Reading
from lab.ports import Direction, Port, PortKind
from lab.topology import DeviceSpec, Link, Topology

DAY = traffic.DAY
LOCATION = "Example Street 1, rack {rack}"
CHASSIS_INDEX = 1
HOSTS = 0.7
HOST_SPEED = 1_000  # Mbit/s; faster ports are uplinks
UPLINK_UTILISATION = 0.12


@dataclass
class Condition:
    """What scenarios have done to a device; the default is a healthy one."""

    cpu_percent: float | None = None
    temperature: float | None = None
    failed_fans: set[int] = field(default_factory=set)  # counted from 1
    failed_supplies: set[int] = field(default_factory=set)
    failed_modules: set[int] = field(default_factory=set)


class Device:
    """One device of the lab; the network moves its time on and says which of its ports are up."""

    def __init__(self, spec: DeviceSpec, topology: Topology, now: float) -> None:
        self.spec = spec
        self.condition = Condition()
        self._rng = random.Random(spec.name)
        self.booted = now - self._rng.uniform(3 * DAY, 200 * DAY)
        self.identity = identity(spec)
        self.ports = {kind.name: self._port(kind) for kind in spec.platform.ports}
        for link in topology.cables.get(spec.name, ()):
            self._plug(link, topology.speed_mbps(link))
        self._remember(now)
        self._base_cpu = self._rng.uniform(8, 25)
        self._base_memory = self._rng.uniform(0.35, 0.55)

    def _port(self, kind: PortKind) -> Port:
        mac = bytearray(self.identity.chassis_mac)
        mac[4:6] = (int.from_bytes(mac[4:6], "big") + kind.index & 0xFFFF).to_bytes(2, "big")
        # Seven of ten access ports have a host; spare ports of the other roles are empty.
        for_hosts = kind.physical and self.spec.role == "access" and kind.speed_mbps <= HOST_SPEED
        host = for_hosts and self._rng.random() < HOSTS
        port = Port(
            kind, "", bytes(mac), kind.speed_mbps, cabled=host, up=host or not kind.physical
        )
        if host:
            port.alias = f"host {kind.name}"
            seed = f"{self.spec.name} {kind.name}"
            port.into = Direction(traffic.load(f"{seed} in", kind.speed_mbps, 0.01))
            port.out = Direction(traffic.load(f"{seed} out", kind.speed_mbps, 0.03))
        return port

    def _plug(self, link: Link, speed: int) -> None:
        # Both ends derive the load from the same text, so what one sends the other receives.
        port = self.ports[link.a_port]
        port.alias = f"to {link.b} {link.b_port}"
        port.cabled, port.up, port.speed_mbps = True, True, speed
        here, there = f"{link.a} {link.a_port}", f"{link.b} {link.b_port}"
        port.out = Direction(traffic.load(f"{here} -> {there}", speed, UPLINK_UTILISATION))
        port.into = Direction(traffic.load(f"{there} -> {here}", speed, UPLINK_UTILISATION))

    def _remember(self, now: float) -> None:
        """Fill the counters with what passed since the boot."""
        for port in self.ports.values():
            port.advance(self.booted, now)

    def twin(self, spec: DeviceSpec) -> "Device":
        """Return a device of another name with the same past."""
        other = copy.deepcopy(self)
        other.spec, other.identity = spec, identity(spec)
        return other

    def advance(self, start: float, end: float) -> None:
        """Count the traffic between two moments (Unix seconds)."""
        for port in self.ports.values():
            if port.cabled:
                port.advance(start, end)

    def set_link(self, port: Port, now: float, *, up: bool) -> None:
        """Take a port up or down."""
        if port.up != up:
            port.up = up
            port.last_change = self.uptime(now)

    def boot(self, now: float) -> None:
        """Start again: uptime and every counter from zero."""
        self.booted = now
        for port in self.ports.values():
            port.into.clear()
            port.out.clear()
            port.last_change = 0.0

    def uptime(self, now: float) -> float:
        """Return the seconds since the boot."""
        return now - self.booted

    def reading(self, now: float) -> Reading:
        """Return the state of health: a calm swing of minutes, unless a scenario says otherwise."""
        platform, condition = self.spec.platform, self.condition
        swing = math.sin(now / 97 + self._base_cpu) + math.sin(now / 23)
        cpu = (
            self._base_cpu + 2.5 * swing if condition.cpu_percent is None else condition.cpu_percent
        )
        celsius = (
            platform.temperature + swing if condition.temperature is None else condition.temperature
        )
        return Reading(
            uptime=self.uptime(now),
            cpu_percent=cpu,
            memory_used=self._base_memory + 0.02 * math.sin(now / 1_800),
            temperature=celsius,
            fans=tuple(n not in condition.failed_fans for n in range(1, platform.fans + 1)),
            power_supplies=tuple(
                n not in condition.failed_supplies for n in range(1, platform.power_supplies + 1)
            ),
            modules=tuple(
                n not in condition.failed_modules for n in range(1, platform.modules + 1)
            ),
        )

    def rows(self, now: float, neighbours: Iterable[Neighbour]) -> Iterator[Row]:
        """Return everything the device answers at a moment, in no particular order."""
        platform = self.spec.platform
        yield from system.rows(self.identity, self.uptime(now))
        yield from interfaces.rows(self.ports.values())
        yield from entity.physical_rows((self._chassis(), *platform.parts()))
        yield from platform.health(self.reading(now))
        if platform.serial_object:
            yield platform.serial_object, octets(self.identity.serial)
        announced = (
            platform.lldp_port(port.kind) for port in self.ports.values() if port.kind.physical
        )
        yield from lldp.local_rows(self.identity, announced, router=platform.router)
        yield from lldp.remote_rows(neighbours)

    def _chassis(self) -> Entity:
        platform = self.spec.platform
        return Entity(
            CHASSIS_INDEX,
            f"{platform.vendor} {platform.model}",
            0,
            CHASSIS,
            "Chassis",
            model=platform.model,
            serial=self.identity.serial,
            software=platform.software,
            vendor=platform.vendor,
        )


def identity(spec: DeviceSpec) -> Identity:
    """Return who a device says it is; the serial follows from its name, so it never changes."""
    digest = hashlib.sha256(spec.name.encode()).hexdigest().upper()
    platform = spec.platform
    address = ipaddress.IPv4Address(spec.address).packed
    return Identity(
        name=spec.name,
        descr=platform.sys_descr,
        object_id=platform.sys_object_id,
        location=LOCATION.format(rack=address[3]),
        services=platform.services,
        chassis_mac=platform.oui + address[2:] + b"\0",
        serial=platform.serial_prefix + digest[:8],
        address=spec.address,
    )
