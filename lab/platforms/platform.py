"""What a platform is: a vendor's answer to the questions every device is asked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lab.ber import Oid, Row
from lab.mibs.entity import Entity
from lab.mibs.lldp import LldpPort
from lab.ports import PortKind

INTERFACE_NAME, LOCAL = 5, 7  # LldpPortIdSubtype


@dataclass(frozen=True)
class Reading:
    """The state of health of a device at one moment."""

    uptime: float  # seconds
    cpu_percent: float
    memory_used: float  # 0 to 1
    temperature: float  # Celsius, at the hottest sensor
    fans: tuple[bool, ...]  # whether each turns
    power_supplies: tuple[bool, ...]  # whether each delivers
    modules: tuple[bool, ...] = ()  # whether each works


def no_parts() -> Iterable[Entity]:
    """Return nothing: a device whose ENTITY-MIB knows only its chassis."""
    return ()


@dataclass(frozen=True)
class Platform:
    """A model of a vendor; `health` renders a reading under the vendor's own objects."""

    name: str
    vendor: str
    model: str
    sys_object_id: Oid
    sys_descr: str
    software: str
    services: int
    ports: tuple[PortKind, ...]
    fans: int
    power_supplies: int
    health: Callable[[Reading], Iterator[Row]]
    oui: bytes  # the first three octets of its addresses
    serial_prefix: str
    parts: Callable[[], Iterable[Entity]] = no_parts
    modules: int = 0  # line cards, or members of a stack, that can fail
    temperature: float = 40.0  # Celsius, at rest
    router: bool = False
    serial_object: Oid | None = None  # where the vendor repeats the serial number
    port_id_subtype: int = INTERFACE_NAME

    def port(self, name: str) -> PortKind | None:
        """Return the port of this ifName."""
        return next((port for port in self.ports if port.name == name), None)

    def lldp_port(self, port: PortKind) -> LldpPort:
        """Return the port as the platform announces it."""
        return LldpPort(port.index, self.port_id_subtype, port.name, port.descr)
