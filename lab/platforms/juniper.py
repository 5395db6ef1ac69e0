"""Juniper MX240 with Junos: JUNIPER-MIB, jnxOperatingTable, jnxFruTable, alarm lamps."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.ber import Oid, Row, gauge32, integer, octets, oid
from lab.mibs.entity import FAN, MODULE, POWER_SUPPLY, Entity
from lab.platforms.platform import Platform, Reading
from lab.ports import LOOPBACK, PortKind

JNX_OPERATING_ENTRY = oid("1.3.6.1.4.1.2636.3.1.13.1")
JNX_FRU_ENTRY = oid("1.3.6.1.4.1.2636.3.1.15.1")
JNX_BOX_DESCR = oid("1.3.6.1.4.1.2636.3.1.2.0")
JNX_BOX_SERIAL_NO = oid("1.3.6.1.4.1.2636.3.1.3.0")
JNX_YELLOW_ALARM_STATE = oid("1.3.6.1.4.1.2636.3.4.2.2.1.0")
JNX_RED_ALARM_STATE = oid("1.3.6.1.4.1.2636.3.4.2.3.1.0")
SUPPLIES, FANS, FPCS, ROUTING_ENGINES = 2, 4, 7, 9  # jnxContainersIndex
RUNNING, DOWN = 2, 6  # jnxOperatingState
ONLINE, OFFLINE = 6, 8  # jnxFruState
LAMP_OFF, LAMP_ON = 2, 3
HOT = 75  # Celsius: the red lamp
VERSION = "21.4R3.15"


@dataclass(frozen=True)
class _Part:
    """A row of jnxOperatingTable; 0 says "not applicable" in all its figures."""

    index: Oid
    descr: str
    running: bool = True
    celsius: float = 0
    cpu: float = 0
    buffer: float = 0  # percent
    memory_mib: int = 0


def _operating(reading: Reading) -> Iterator[_Part]:
    for number, delivers in enumerate(reading.power_supplies):
        yield _Part(
            (SUPPLIES, number + 1, 0, 0), f"PEM {number}", delivers, reading.temperature - 8
        )
    for number, turns in enumerate(reading.fans):
        yield _Part((FANS, 1, number + 1, 0), f"Fan Tray 0 Fan {number + 1}", turns)
    buffer = reading.memory_used * 100
    yield _Part(
        (FPCS, 3, 0, 0),
        "FPC: MPC Type 2 3D @ 2/*/*",
        all(reading.modules),
        reading.temperature,
        12,
        buffer / 2,
        2_048,
    )
    engine = "Routing Engine 0"
    yield _Part(
        (ROUTING_ENGINES, 1, 0, 0),
        engine,
        True,
        reading.temperature - 5,
        reading.cpu_percent,
        buffer,
        16_384,
    )


def _health(reading: Reading) -> Iterator[Row]:
    yield JNX_BOX_DESCR, octets("Juniper MX240 Internet Backbone Router")
    for part in _operating(reading):
        columns = dict(enumerate((integer(arc) for arc in part.index), start=1))
        columns |= {
            5: octets(part.descr),
            6: integer(RUNNING if part.running else DOWN),
            7: gauge32(round(part.celsius)),
            8: gauge32(round(part.cpu)),
            11: gauge32(round(part.buffer)),
            15: integer(part.memory_mib),
            24: gauge32(round(part.cpu)),
        }
        for column, value in columns.items():
            yield (*JNX_OPERATING_ENTRY, column, *part.index), value
        yield from _replaceable(part)
    broken = not all((*reading.fans, *reading.power_supplies, *reading.modules))
    yield JNX_YELLOW_ALARM_STATE, integer(LAMP_ON if broken else LAMP_OFF)
    yield JNX_RED_ALARM_STATE, integer(LAMP_ON if reading.temperature > HOT else LAMP_OFF)


def _replaceable(part: _Part) -> Iterator[Row]:
    """Return the row of jnxFruTable, which has the index of the operating table."""
    columns = dict(enumerate((integer(arc) for arc in part.index), start=1))
    columns |= {5: octets(part.descr), 8: integer(ONLINE if part.running else OFFLINE)}
    for column, value in columns.items():
        yield (*JNX_FRU_ENTRY, column, *part.index), value


def _parts() -> Iterator[Entity]:
    for number in (0, 1):
        yield Entity(
            2 + number, "PS 1.2-2.4kW; 90-264V AC in", 1, POWER_SUPPLY, f"PEM {number}", number
        )
    for number in (1, 2, 3):
        yield Entity(9 + number, "Enhanced Fan Tray", 1, FAN, f"Fan {number}", number)
    yield Entity(20, "MPC Type 2 3D", 1, MODULE, "FPC 2")
    yield Entity(21, "RE-S-1800x4", 1, MODULE, "Routing Engine 0")


_PORTS = (
    PortKind(1, "fxp0", "fxp0", 1_000),
    PortKind(6, "lo0", "lo0", 0, LOOPBACK),
    *(
        PortKind(512 + 4 * pic + n, f"xe-2/{pic}/{n}", f"xe-2/{pic}/{n}", 10_000)
        for pic in range(4)
        for n in range(4)
    ),
)

MX240 = Platform(
    name="mx240",
    vendor="Juniper",
    model="MX240",
    sys_object_id=oid("1.3.6.1.4.1.2636.1.1.1.2.29"),  # jnxProductNameMX240
    sys_descr=(
        f"Juniper Networks, Inc. mx240 internet router, kernel JUNOS {VERSION}, "
        "Build date: 2022-09-22 11:21:34 UTC Copyright (c) 1996-2022 Juniper Networks, Inc."
    ),
    software=VERSION,
    services=4,
    ports=_PORTS,
    fans=3,
    power_supplies=2,
    modules=1,
    parts=_parts,
    health=_health,
    oui=bytes.fromhex("3c6104"),
    serial_prefix="JN",
    temperature=42.0,
    serial_object=JNX_BOX_SERIAL_NO,
    router=True,
)
