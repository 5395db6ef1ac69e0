"""linkDown and linkUp as SNMPv2c traps, from the address of the device whose port it is."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from lab import ber
from lab.device import Device
from lab.network import Network
from lab.ports import Port

SYS_UPTIME, TRAP_OID = ber.oid("1.3.6.1.2.1.1.3.0"), ber.oid("1.3.6.1.6.3.1.1.4.1.0")
LINK_DOWN, LINK_UP = ber.oid("1.3.6.1.6.3.1.1.5.3"), ber.oid("1.3.6.1.6.3.1.1.5.4")
IF_ENTRY = ber.oid("1.3.6.1.2.1.2.2.1")
IF_INDEX, IF_DESCR, IF_ADMIN, IF_OPER = 1, 2, 7, 8
UP, DOWN = 1, 2
V2C, TRAP = 1, 0xA7


@dataclass
class Traps:
    """Sends to one receiver what changes; the ports of a device that is new to it were up."""

    receiver: tuple[str, int]
    community: str
    _up: dict[tuple[str, str], bool] = field(default_factory=dict, init=False)

    def follow(self, network: Network, addresses: Mapping[str, str]) -> None:
        """Send a trap for each port that changed, of devices that have a way to the receiver."""
        for name, device in network.devices.items():
            for port in self._changed(name, device):
                if network.answers(name):
                    self._send(addresses[name], message(device, port, network.now, self.community))

    def _changed(self, name: str, device: Device) -> Iterator[Port]:
        for port in device.ports.values():
            if port.cabled and self._up.get(key := (name, port.kind.name), True) != port.up:
                self._up[key] = port.up
                yield port

    def _send(self, source: str, content: bytes) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sock, suppress(OSError):
            # Lost where nobody receives, as on any network.
            sock.bind((source, 0))
            sock.sendto(content, self.receiver)


def message(device: Device, port: Port, now: float, community: str) -> bytes:
    """Return the trap about a port as it is now (RFC 2863, and ifDescr)."""
    oper = UP if port.up else DOWN
    values = {
        SYS_UPTIME: ber.timeticks(device.uptime(now)),
        TRAP_OID: ber.object_identifier(LINK_UP if port.up else LINK_DOWN),
        (*IF_ENTRY, IF_INDEX, port.kind.index): ber.integer(port.kind.index),
        (*IF_ENTRY, IF_ADMIN, port.kind.index): ber.integer(UP),
        (*IF_ENTRY, IF_OPER, port.kind.index): ber.integer(oper),
        (*IF_ENTRY, IF_DESCR, port.kind.index): ber.octets(port.kind.descr),
    }
    bindings = (ber.sequence((ber.object_identifier(n), v)) for n, v in values.items())
    head = ber.integer(1) + ber.integer(0) + ber.integer(0)
    pdu = ber.tlv(TRAP, head + ber.sequence(bindings))
    return ber.sequence((ber.integer(V2C), ber.octets(community), pdu))
