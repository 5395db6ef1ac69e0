"""Arista 7050SX with EOS: HOST-RESOURCES-MIB, ENTITY-SENSOR-MIB and ENTITY-STATE-MIB."""

from collections.abc import Iterator

from lab.ber import Row, integer, oid
from lab.mibs import host
from lab.mibs.entity import (
    CELSIUS,
    FAN,
    OK,
    POWER_SUPPLY,
    RPM,
    SENSOR,
    UNAVAILABLE,
    WATTS,
    Entity,
    Sensor,
    sensor_rows,
)
from lab.mibs.host import Storage
from lab.platforms.platform import Platform, Reading
from lab.ports import PortKind

ENT_STATE_OPER = oid("1.3.6.1.2.1.131.1.1.1.3")

DISABLED, ENABLED = 2, 3  # EntityOperState
RAM_KIB = 3_963_672
CORES = 2
CPU_SENSOR, AIR_SENSOR = 100_006_001, 100_006_016
FIRST_FAN, FIRST_FAN_SENSOR = 100_601_000, 100_601_110  # + the number of the fan
FIRST_SUPPLY, FIRST_SUPPLY_SENSOR = 100_711_000, 100_711_100
VERSION = "4.28.5M"


def _processors(reading: Reading) -> Iterator[Row]:
    # Row 1 summarises the cores, which follow it.
    names = ("GenuineIntel CPU @ 2.40GHz", *(f"Core {core}" for core in range(1, CORES + 1)))
    yield from host.processors(names, reading.cpu_percent)


def _storage(reading: Reading) -> Iterator[Row]:
    cache, buffers = round(RAM_KIB * 0.22), round(RAM_KIB * 0.03)
    programs = round(RAM_KIB * reading.memory_used)
    # EOS counts cache and buffers as used, like the kernel.
    used = min(programs + cache + buffers, RAM_KIB)
    yield from host.storage(
        (
            Storage(1, "RAM", 1_024, RAM_KIB, used),
            Storage(2, "RAM (Buffers)", 1_024, RAM_KIB, buffers),
            Storage(3, "RAM (Cache)", 1_024, RAM_KIB, min(cache, used - buffers)),
            Storage(4, "Flash", 4_096, 386_808, 294_387, host.HR_STORAGE_FLASH),
        )
    )


def _sensors(reading: Reading) -> Iterator[Sensor]:
    yield Sensor(CPU_SENSOR, CELSIUS, reading.temperature, precision=1)
    yield Sensor(AIR_SENSOR, CELSIUS, reading.temperature - 14, precision=1)
    for number, turns in enumerate(reading.fans, start=1):
        # The sensor of a fan that stands still works: it measures nothing.
        yield Sensor(FIRST_FAN_SENSOR + number, RPM, 7_600 if turns else 0)
    for number, delivers in enumerate(reading.power_supplies, start=1):
        watts, status = (88.5, OK) if delivers else (0, UNAVAILABLE)
        yield Sensor(FIRST_SUPPLY_SENSOR + number, WATTS, watts, 1, status)


def _health(reading: Reading) -> Iterator[Row]:
    yield from _processors(reading)
    yield from _storage(reading)
    yield from sensor_rows(_sensors(reading))
    states = [(FIRST_FAN + n, ok) for n, ok in enumerate(reading.fans, start=1)]
    states += [(FIRST_SUPPLY + n, ok) for n, ok in enumerate(reading.power_supplies, start=1)]
    for index, works in states:
        yield (*ENT_STATE_OPER, index), integer(ENABLED if works else DISABLED)


def _parts() -> Iterator[Entity]:
    yield Entity(CPU_SENSOR, "Cpu temp sensor", 1, SENSOR, "Cpu temp sensor")
    yield Entity(AIR_SENSOR, "Front-panel temp sensor", 1, SENSOR, "Front-panel temp sensor", 2)
    for number in range(1, 5):
        fan, sensor = FIRST_FAN + number, FIRST_FAN_SENSOR + number
        yield Entity(fan, f"Fan {number}", 1, FAN, f"Fan {number}", number, "FAN-7000H-F")
        name = f"Fan {number} Fan Sensor 1"
        yield Entity(sensor, name, fan, SENSOR, name)
    for number in (1, 2):
        supply, sensor = FIRST_SUPPLY + number, FIRST_SUPPLY_SENSOR + number
        name = f"PowerSupply{number}"
        yield Entity(supply, name, 1, POWER_SUPPLY, name, number, "PWR-500AC-F")
        name = f"PowerSupply{number} Output Power Sensor"
        yield Entity(sensor, name, supply, SENSOR, name)


DCS_7050SX_64 = Platform(
    name="dcs-7050sx-64",
    vendor="Arista",
    model="DCS-7050SX-64",
    sys_object_id=oid("1.3.6.1.4.1.30065.1.3011.7050.3741.64"),  # aristaDCS7050SX64
    sys_descr=f"Arista Networks EOS version {VERSION} running on an Arista Networks DCS-7050SX-64",
    software=VERSION,
    services=14,
    ports=(
        *(PortKind(n, f"Ethernet{n}", f"Ethernet{n}", 10_000) for n in range(1, 49)),
        *(PortKind(n, f"Ethernet{n}/1", f"Ethernet{n}/1", 40_000) for n in range(49, 53)),
        PortKind(999_001, "Management1", "Management1", 1_000),
    ),
    fans=4,
    power_supplies=2,
    parts=_parts,
    health=_health,
    oui=bytes.fromhex("001c73"),
    serial_prefix="JPE",
    temperature=46.0,
)
