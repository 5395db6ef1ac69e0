"""Cisco without CISCO-ENVMON-MIB: NX-OS, IOS-XR and ASA tell of parts and sensors by entity."""

from collections.abc import Iterator

from lab.ber import Row, counter64, gauge32, integer, octets, oid
from lab.mibs.entity import FAN, MODULE, POWER_SUPPLY, SENSOR, Entity
from lab.platforms.columns import ports, table
from lab.platforms.platform import Platform, Reading

PROCESS = "1.3.6.1.4.1.9.9.109.1.1.1.1"
ENHANCED_POOL = "1.3.6.1.4.1.9.9.221.1.1.1.1"
FRU = "1.3.6.1.4.1.9.9.117.1"
SENSOR_ENTRY = "1.3.6.1.4.1.9.9.91.1.1.1.1"
THRESHOLD_ENTRY = "1.3.6.1.4.1.9.9.91.1.2.1.1"
CARD, FIRST_FAN, FIRST_SUPPLY, HEAT, FIRST_FAN_SENSOR = 22, 530, 470, 21_590, 22_600
ON, POWER_FAILED = 2, 8  # PowerOperType
TRAY_UP, TRAY_DOWN = 2, 3  # cefcFanTrayOperStatus
MODULE_OK, MODULE_FAILED = 2, 7  # ModuleOperType
CELSIUS, RPM, UNITS = 8, 10, 9  # SensorDataType, SensorDataScale
SENSOR_OK, NONOPERATIONAL = 1, 3  # SensorStatus
MINOR, MAJOR, GREATER_OR_EQUAL = 10, 20, 4
LIMITS = {1: (MINOR, 70), 2: (MAJOR, 80)}  # Celsius
MEMORY_KB = 24_634_448


def _parts(fans: int, supplies: int, modules: int) -> Iterator[Entity]:
    for number in range(1, modules + 1):
        name = f"Slot {number}"
        yield Entity(CARD + number, "Ethernet module", 1, MODULE, name, number)
    for number in range(1, fans + 1):
        name = f"Fan Module-{number}"
        yield Entity(FIRST_FAN + number, "Chassis fan module", 1, FAN, name, number)
        yield Entity(
            FIRST_FAN_SENSOR + number, name, FIRST_FAN + number, SENSOR, f"Fan {number} speed"
        )
    for number in range(1, supplies + 1):
        name = f"PowerSupply-{number}"
        yield Entity(FIRST_SUPPLY + number, "Power supply", 1, POWER_SUPPLY, name, number)
    yield Entity(HEAT, "Temperature sensor", 1, SENSOR, "module-1 FRONT")


def _processor(reading: Reading) -> Iterator[Row]:
    cpu = gauge32(round(reading.cpu_percent))
    used = round(MEMORY_KB * reading.memory_used)
    cells = {2: integer(0), 6: cpu, 7: cpu, 8: cpu}
    cells |= {12: gauge32(used), 13: gauge32(MEMORY_KB - used)}
    yield from table(PROCESS, {"1": cells})


def _pool(reading: Reading, name: str) -> Iterator[Row]:
    size = MEMORY_KB * 1_024
    used = round(size * reading.memory_used)
    cells = {
        2: integer(2),
        3: octets(name),
        7: gauge32(used),  # stays at 4 GiB, which is why there are columns 18 and 20
        8: gauge32(size - used),
        18: counter64(used),
        20: counter64(size - used),
    }
    yield from table(ENHANCED_POOL, {f"{CARD}.1": cells})


def _sensor(kind: int, value: float, status: int = SENSOR_OK) -> dict[int, bytes]:
    columns = (kind, UNITS, 0, round(value), status)
    return {number: integer(column) for number, column in enumerate(columns, start=1)}


def _heat(reading: Reading) -> Iterator[Row]:
    yield from table(SENSOR_ENTRY, {str(HEAT): _sensor(CELSIUS, reading.temperature)})
    for number, (severity, celsius) in LIMITS.items():
        cells = {2: integer(severity), 3: integer(GREATER_OR_EQUAL), 4: integer(celsius)}
        cells[5] = integer(1 if reading.temperature >= celsius else 2)
        yield from table(THRESHOLD_ENTRY, {f"{HEAT}.{number}": cells})


def _replaceable(reading: Reading) -> Iterator[Row]:
    for number, delivers in enumerate(reading.power_supplies, start=1):
        cells = {1: integer(1), 2: integer(ON if delivers else POWER_FAILED), 3: integer(1_200)}
        yield from table(f"{FRU}.1.2.1", {str(FIRST_SUPPLY + number): cells})
    for number, turns in enumerate(reading.fans, start=1):
        cells = {1: integer(TRAY_UP if turns else TRAY_DOWN)}
        yield from table(f"{FRU}.4.1.1", {str(FIRST_FAN + number): cells})
    for number, works in enumerate(reading.modules, start=1):
        cells = {1: integer(1), 2: integer(MODULE_OK if works else MODULE_FAILED)}
        yield from table(f"{FRU}.2.1.1", {str(CARD + number): cells})


def _nexus(reading: Reading) -> Iterator[Row]:
    yield from _processor(reading)
    yield from _heat(reading)
    yield from _replaceable(reading)


def _xr(reading: Reading) -> Iterator[Row]:
    yield from _processor(reading)
    yield from _pool(reading, "processor")
    yield from _heat(reading)
    yield from _replaceable(reading)


def _asa(reading: Reading) -> Iterator[Row]:
    """Return a firewall: a fan is a sensor of speed, and there is no table of parts."""
    yield from _processor(reading)
    yield from _pool(reading, "System memory")
    yield from _heat(reading)
    for number, turns in enumerate(reading.fans, start=1):
        speed = _sensor(RPM, 7_680 if turns else 0, SENSOR_OK if turns else NONOPERATIONAL)
        yield from table(SENSOR_ENTRY, {str(FIRST_FAN_SENSOR + number): speed})


NEXUS_93180 = Platform(
    name="nexus-93180yc",
    vendor="Cisco",
    model="N9K-C93180YC-FX",
    sys_object_id=oid("1.3.6.1.4.1.9.12.3.1.3.2144"),
    sys_descr=(
        "Cisco NX-OS(tm) nxos.9.3.8.bin, Software (nxos), Version 9.3(8), RELEASE SOFTWARE "
        "Copyright (c) 2002-2021 by Cisco Systems, Inc. Compiled 8/4/2021 13:00:00"
    ),
    software="9.3(8)",
    services=70,
    ports=ports(54, "Ethernet1/{}", 25_000, first=436_207_616),
    fans=4,
    power_supplies=2,
    modules=1,
    parts=lambda: _parts(4, 2, 1),
    health=_nexus,
    oui=bytes.fromhex("00de00"),
    serial_prefix="FDO",
    temperature=33.0,
)

ASR_9001 = Platform(
    name="asr-9001",
    vendor="Cisco",
    model="ASR-9001",
    sys_object_id=oid("1.3.6.1.4.1.9.1.1762"),
    sys_descr=(
        "Cisco IOS XR Software (Cisco ASR9K Series),  Version 6.4.2[Default]\r\n"
        "Copyright (c) 2019 by Cisco Systems, Inc."
    ),
    software="6.4.2",
    services=78,
    ports=ports(4, "TenGigE0/0/2/{}", 10_000, first=7),
    fans=2,
    power_supplies=2,
    modules=2,
    parts=lambda: _parts(2, 2, 2),
    health=_xr,
    oui=bytes.fromhex("84b802"),
    serial_prefix="FOC",
    temperature=37.0,
    router=True,
)

ASA_5516 = Platform(
    name="asa-5516",
    vendor="Cisco",
    model="ASA5516",
    sys_object_id=oid("1.3.6.1.4.1.9.1.2116"),
    sys_descr="Cisco Adaptive Security Appliance Version 9.12(4)2",
    software="9.12(4)2",
    services=4,
    ports=ports(8, "GigabitEthernet1/{}", 1_000, first=3),
    fans=3,
    power_supplies=0,
    parts=lambda: _parts(3, 0, 0),
    health=_asa,
    oui=bytes.fromhex("00f663"),
    serial_prefix="JAD",
    temperature=35.0,
)

PLATFORMS = (NEXUS_93180, ASR_9001, ASA_5516)
