"""IF-MIB (RFC 2863): every column of ifTable and ifXTable."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from lab.ber import (
    Oid,
    Row,
    counter32,
    counter64,
    gauge32,
    integer,
    object_identifier,
    octets,
    timeticks,
)
from lab.ports import Port

INTERFACES = (1, 3, 6, 1, 2, 1, 2)
IF_ENTRY = (*INTERFACES, 2, 1)
IF_X_ENTRY = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)

UP, DOWN = 1, 2
TRUE, FALSE = 1, 2
ENABLED = 1
JUMBO_MTU = 9_198

# Values that never change or seldom do are encoded once.
_ZERO = counter32(0)
_NO_TICKS = timeticks(0)
_ZERO_DOT_ZERO = object_identifier((0, 0))


def rows(ports: Iterable[Port]) -> Iterator[Row]:
    """Return the interfaces group and both tables for these ports."""
    ports = list(ports)
    yield (*INTERFACES, 1, 0), integer(len(ports))
    for port in ports:
        yield from zip(_instances(port.kind.index), _columns(port), strict=True)


@lru_cache(maxsize=4096)
def _instances(index: int) -> tuple[Oid, ...]:
    return tuple((*IF_ENTRY, column, index) for column in range(1, 23)) + tuple(
        (*IF_X_ENTRY, column, index) for column in range(1, 20)
    )


def _columns(port: Port) -> list[bytes]:
    into, out = port.into, port.out
    speed = port.speed_mbps
    return [
        integer(port.kind.index),
        octets(port.kind.descr),
        integer(port.kind.if_type),
        integer(JUMBO_MTU),
        gauge32(speed * 1_000_000),
        octets(port.mac),
        integer(UP),
        integer(UP if port.up else DOWN),
        timeticks(port.last_change),
        counter32(into.total_octets),
        counter32(into.unicast),
        counter32(into.multicast + into.broadcast),
        counter32(int(into.discards)),
        counter32(int(into.errors)),
        _ZERO,
        counter32(out.total_octets),
        counter32(out.unicast),
        counter32(out.multicast + out.broadcast),
        counter32(int(out.discards)),
        counter32(int(out.errors)),
        gauge32(0),
        _ZERO_DOT_ZERO,
        octets(port.kind.name),
        counter32(into.multicast),
        counter32(into.broadcast),
        counter32(out.multicast),
        counter32(out.broadcast),
        counter64(into.total_octets),
        counter64(into.unicast),
        counter64(into.multicast),
        counter64(into.broadcast),
        counter64(out.total_octets),
        counter64(out.unicast),
        counter64(out.multicast),
        counter64(out.broadcast),
        integer(ENABLED),
        gauge32(speed),
        integer(FALSE),
        integer(TRUE if port.kind.physical else FALSE),
        octets(port.alias),
        _NO_TICKS,
    ]
