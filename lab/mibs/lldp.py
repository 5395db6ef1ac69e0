"""LLDP-MIB (IEEE 802.1AB): the local system, its ports, and the neighbours it hears."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab.ber import Row, integer, object_identifier, octets
from lab.mibs.system import Identity

LLDP_OBJECTS = (1, 0, 8802, 1, 1, 2, 1)
LOCAL_SYSTEM = (*LLDP_OBJECTS, 3)
LOCAL_PORT_ENTRY = (*LOCAL_SYSTEM, 7, 1)
REMOTE_ENTRY = (*LLDP_OBJECTS, 4, 1, 1)
REMOTE_ADDRESS_ENTRY = (*LLDP_OBJECTS, 4, 2, 1)

MAC_ADDRESS = 4  # LldpChassisIdSubtype
IF_INDEX = 2  # LldpManAddrIfSubtype
IPV4 = 1  # AddressFamilyNumbers
BRIDGE, ROUTER = b"\x20", b"\x08"  # LldpSystemCapabilitiesMap: bits 2 and 4
TIME_MARK = 0


@dataclass(frozen=True)
class LldpPort:
    """A port as LLDP announces it."""

    number: int
    id_subtype: int  # LldpPortIdSubtype
    id: str
    descr: str


@dataclass(frozen=True)
class Neighbour:
    """What is heard on a local port: who, and on which of their ports."""

    local_port: int
    system: Identity
    port: LldpPort
    router: bool


def local_rows(system: Identity, ports: Iterable[LldpPort], *, router: bool) -> Iterator[Row]:
    """Return lldpLocalSystemData and lldpLocPortTable."""
    capabilities = ROUTER if router else BRIDGE
    scalars = (
        integer(MAC_ADDRESS),
        octets(system.chassis_mac),
        octets(system.name),
        octets(system.descr),
        octets(capabilities),
        octets(capabilities),
    )
    for column, value in enumerate(scalars, start=1):
        yield (*LOCAL_SYSTEM, column, 0), value
    for port in ports:
        yield (*LOCAL_PORT_ENTRY, 2, port.number), integer(port.id_subtype)
        yield (*LOCAL_PORT_ENTRY, 3, port.number), octets(port.id)
        yield (*LOCAL_PORT_ENTRY, 4, port.number), octets(port.descr)


def remote_rows(neighbours: Iterable[Neighbour]) -> Iterator[Row]:
    """Return lldpRemTable and lldpRemManAddrTable; one neighbour to a port."""
    for neighbour in neighbours:
        index = (TIME_MARK, neighbour.local_port, 1)
        capabilities = octets(ROUTER if neighbour.router else BRIDGE)
        columns = {
            4: integer(MAC_ADDRESS),
            5: octets(neighbour.system.chassis_mac),
            6: integer(neighbour.port.id_subtype),
            7: octets(neighbour.port.id),
            8: octets(neighbour.port.descr),
            9: octets(neighbour.system.name),
            10: octets(neighbour.system.descr),
            11: capabilities,
            12: capabilities,
        }
        for column, value in columns.items():
            yield (*REMOTE_ENTRY, column, *index), value
        address = ipaddress.IPv4Address(neighbour.system.address).packed
        instance = (*index, IPV4, len(address), *address)
        yield (*REMOTE_ADDRESS_ENTRY, 3, *instance), integer(IF_INDEX)
        yield (*REMOTE_ADDRESS_ENTRY, 4, *instance), integer(neighbour.port.number)
        yield (*REMOTE_ADDRESS_ENTRY, 5, *instance), object_identifier((0, 0))
