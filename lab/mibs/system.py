"""SNMPv2-MIB, the system group (RFC 3418)."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.ber import Oid, Row, integer, object_identifier, octets, timeticks

SYSTEM = (1, 3, 6, 1, 2, 1, 1)
SYS_NAME: Oid = (*SYSTEM, 5, 0)
CONTACT = "Network operations <noc@example.net>"


@dataclass(frozen=True)
class Identity:
    """Who a device says it is."""

    name: str
    descr: str
    object_id: Oid
    location: str
    services: int  # sysServices: the sum of 2^(layer-1)
    chassis_mac: bytes
    serial: str
    address: str


def rows(identity: Identity, uptime: float) -> Iterator[Row]:
    """Return the system group of a device that has been up for so many seconds."""
    yield (*SYSTEM, 1, 0), octets(identity.descr)
    yield (*SYSTEM, 2, 0), object_identifier(identity.object_id)
    yield (*SYSTEM, 3, 0), timeticks(uptime)
    yield (*SYSTEM, 4, 0), octets(CONTACT)
    yield SYS_NAME, octets(identity.name)
    yield (*SYSTEM, 6, 0), octets(identity.location)
    yield (*SYSTEM, 7, 0), integer(identity.services)
    yield (*SYSTEM, 8, 0), timeticks(0)
