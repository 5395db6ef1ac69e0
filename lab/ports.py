"""The ports of a simulated device: what they are, whether they are up, what they counted."""

from dataclasses import dataclass, field

from lab import traffic
from lab.traffic import Load

ETHERNET, PROPRIETARY_VIRTUAL, LOOPBACK = 6, 53, 24  # ifType, IANAifType-MIB


# Parts of all packets, on a healthy port.
USUAL_ERRORS, USUAL_DISCARDS = 2e-9, 5e-9


@dataclass(frozen=True)
class PortKind:
    """A port as its platform names it; `name` is the ifName, `descr` the ifDescr."""

    index: int
    name: str
    descr: str
    speed_mbps: int
    if_type: int = ETHERNET

    @property
    def physical(self) -> bool:
        """Whether a cable fits."""
        return self.if_type == ETHERNET


@dataclass
class Direction:
    """What one direction of a port counted; `*_offset` is what a counter was set to."""

    load: Load = traffic.NOTHING
    octets: float = 0.0
    octets_offset: int = 0
    packets_offset: int = 0
    errors: float = 0.0
    discards: float = 0.0

    def carry(self, start: float, end: float, error_ratio: float) -> None:
        """Count the traffic between two moments (Unix seconds)."""
        octets = self.load.octets(start, end)
        packets = octets / self.load.packet
        self.octets += octets
        self.errors += packets * error_ratio
        self.discards += packets * USUAL_DISCARDS

    def clear(self) -> None:
        """Start again from zero, as after a reboot."""
        self.octets = self.errors = self.discards = 0.0
        self.octets_offset = self.packets_offset = 0

    def wrap_in(self, seconds: float, bits: int, at: float) -> None:
        """Set the counters so that they overflow that soon at the present rate."""
        rate = max(self.load.rate(at), 1.0)
        for name, value, ahead in (
            ("octets_offset", self.total_octets, int(rate * seconds)),
            ("packets_offset", self.unicast, int(rate * seconds / self.load.packet)),
        ):
            target = (1 << bits) - 1 - ahead
            modulus = 1 << bits
            setattr(self, name, getattr(self, name) + (target - value) % modulus)

    @property
    def total_octets(self) -> int:
        """Every octet, framing included."""
        return self.octets_offset + int(self.octets)

    @property
    def unicast(self) -> int:
        """Unicast packets: all but three of a hundred."""
        return self.packets_offset + int(self.octets / self.load.packet * 0.97)

    @property
    def multicast(self) -> int:
        """Multicast packets."""
        return int(self.octets / self.load.packet * 0.02)

    @property
    def broadcast(self) -> int:
        """Broadcast packets."""
        return int(self.octets / self.load.packet * 0.01)


@dataclass
class Port:
    """A port in service."""

    kind: PortKind
    alias: str
    mac: bytes
    speed_mbps: int
    cabled: bool  # something is at the other end of the cable
    up: bool
    into: Direction = field(default_factory=Direction)
    out: Direction = field(default_factory=Direction)
    last_change: float = 0.0  # seconds of sysUpTime
    error_ratio: float = 0.0

    def advance(self, start: float, end: float) -> None:
        """Count what the port carried between two moments, if it was up."""
        if self.up and self.cabled:
            self.into.carry(start, end, self.error_ratio or USUAL_ERRORS)
            self.out.carry(start, end, 0.0)
